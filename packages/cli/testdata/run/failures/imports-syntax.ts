import "./syntax.ts";
