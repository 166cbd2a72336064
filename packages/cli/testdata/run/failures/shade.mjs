export const shade = 1;
