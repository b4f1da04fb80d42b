/** Eight colours that colour-blind people tell apart (Okabe and Ito 2008), the yellow darkened to show on white. */
export const palette = [
  "#0072b2",
  "#d55e00",
  "#009e73",
  "#cc79a7",
  "#b8860b",
  "#56b4e9",
  "#5d3a9b",
  "#222222",
] as const

/** Of what is only there to compare with. */
export const grey = "#8a8a8a"
