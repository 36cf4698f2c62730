/** Red, green and blue, in sRGB, of a surface that its file gives no colour, in every format: what modelling programs show it in. */
export const PLAIN_GREY = 0.8;
