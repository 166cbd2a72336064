export { parseQuantity } from "./../quantity.ts";
