export { parseQuantity } from "../schema/quantity.ts";
