import { expect, it } from "vitest";
import { isSecureUrl } from "./secure-url.ts";

it.each([
  "https://id.example/",
  "http://localhost:8080",
  "http://127.0.0.1:1",
  "http://[::1]:1/realm",
])("trusts %s", (url) => {
  expect(isSecureUrl(url)).toBe(true);
});

it.each([
  "http://id.example/",
  "http://127.0.0.1.example/",
  "http://localhost.example/",
  "ftp://localhost/",
  "id.example",
])("doesn't trust %s", (url) => {
  expect(isSecureUrl(url)).toBe(false);
});
