const MOST_STEPS = 20;

/**
 * Does what a person does in a browser at an issuer's address: keeps cookies, follows redirections, and sends every
 * form that it is shown, as `someone`. Gives the first page without a form.
 */
export async function signIn(address: string): Promise<string> {
  const cookies = new Map<string, string>();
  let next: { url: string; body?: URLSearchParams } = { url: address };
  for (let step = 0; step < MOST_STEPS; step++) {
    const { url, body } = next;
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const init = { redirect: "manual", headers: { cookie } } as const;
    const answer = await fetch(url, body === undefined ? init : { ...init, method: "POST", body });
    for (const [pair = ""] of answer.headers.getSetCookie().map((line) => line.split(";"))) {
      const [name = "", value = ""] = pair.split(/=(.*)/s);
      cookies.set(name, value);
    }
    const location = answer.headers.get("location");
    const page = await answer.text();
    const form = /<form[^>]*action="([^"]*)"[^>]*>(.*?)<\/form>/s.exec(page);
    if (location !== null) next = { url: new URL(location, url).href };
    else if (form === null) return page;
    else next = { url: new URL(form[1] ?? "", url).href, body: fillIn(form[2] ?? "") };
  }
  throw new Error("one form after the other");
}

function fillIn(form: string): URLSearchParams {
  const fields = [...form.matchAll(/<input[^>]*>/g)].map(([input]): [string, string] => {
    const attribute = (name: string) => new RegExp(`\\s${name}="([^"]*)"`).exec(input)?.[1];
    return [attribute("name") ?? "", attribute("value") ?? "someone"];
  });
  return new URLSearchParams(fields);
}
