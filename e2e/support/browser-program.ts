// What a test names as the user's browser: signs in at the address that it is started with.
import { signIn } from "./sign-in.ts";

await signIn(process.argv[2] ?? "");
