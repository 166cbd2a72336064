// A task that shows its secret in the ways in which that happens by accident.
import { inspect } from "node:util";
import { currentContext, Secret, task } from "@flyte-secrets/sdk";

export const show = task({ name: "show", secrets: new Secret({ key: "api-key", asEnvVar: "API_KEY" }) }, async () => {
  const value = process.env.API_KEY ?? "";
  const bytes = Buffer.from(value);
  const pairs = bytes.toString("hex").match(/../g) ?? [];
  const twice = JSON.stringify(JSON.stringify({ value }));
  const shown = {
    "as it is": value,
    "with a user in base64": `Authorization: Basic ${Buffer.from(`user:${value}`).toString("base64")}`,
    "as a form": new URLSearchParams({ value }).toString(),
    "as a buffer": inspect(bytes),
    "as a list of numbers": inspect(new Uint8Array(bytes)),
    "in hex, in upper case": bytes.toString("hex").toUpperCase(),
    "in hex, with colons": pairs.join(":"),
    "in a URL, in lower case": encodeURIComponent(value).replace(/%../g, (code) => code.toLowerCase()),
    "in JSON in JSON": twice,
    "in JSON of ASCII": JSON.stringify(value).replace(/[^ -~]/g, (unit) => `\\u00${unit.charCodeAt(0).toString(16)}`),
    "in JSON with \\/": JSON.stringify(value).replaceAll("/", "\\/"),
    decomposed: value.normalize("NFD"),
    "in HTML": value.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;"),
    "in HTML, by names": value.replaceAll("&", "&amp;").replaceAll("é", "&eacute;").replaceAll("/", "&sol;"),
    "in HTML, letters too": value.replace(/./gu, (character) => `&#${character.codePointAt(0)};`),
    "in JSON, letters too": value.replace(/./g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`),
    "in JSON of a buffer, by lines": JSON.stringify(bytes, null, 2),
    "in CSV": value.replaceAll('"', '""'),
    "in lines of base64": bytes.toString("base64").replace(/.{12}/g, "$&\n"),
  };
  for (const [way, text] of Object.entries(shown)) process.stdout.write(`${way}: <${text}>\n`);
  // Byte by byte, and on the other output.
  for (const character of `split: <${value}>\n`) process.stderr.write(character);
  return { value, twice };
});

const NAMES = ["first", "second", "third"];

export const showAlike = task({ name: "showAlike", secrets: NAMES.map((key) => new Secret({ key })) }, async () => {
  for (const key of NAMES) console.log(`${key}: <${currentContext().getSecret(undefined, key)}>`);
});
