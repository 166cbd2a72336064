import { expect, it } from "vitest";
import { isSafeIssuerUrl } from "./safe-issuer-url.ts";

it.each([
  "https://id.example/",
  "http://localhost:8080",
  "http://127.0.0.1:1",
  "http://[::1]:1/realm",
])("trusts %s", (url) => {
  expect(isSafeIssuerUrl(url)).toBe(true);
});

it.each([
  "http://id.example/",
  "http://127.0.0.1.example/",
  "http://localhost.example/",
  "ftp://localhost/",
  "id.example",
])("doesn't trust %s", (url) => {
  expect(isSafeIssuerUrl(url)).toBe(false);
});
