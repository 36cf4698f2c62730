/** Linear red, green and blue of a surface that its file gives no colour, in every format: 0.8 in sRGB, as modelling programs show it. */
export const PLAIN_GREY = 0.6;
