export { createStoreLookup } from "./../providers/store-lookup.ts";
