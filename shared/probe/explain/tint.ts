import { along, axisOf, ticksOf } from "../plot/axis.ts"
import { palette } from "../plot/palette.ts"
import { element, text } from "../plot/svg.ts"

/** Of what adds to the score and of what takes from it: blue and vermillion are told apart whatever the eyes. */
export const adding = palette[1]
export const taking = palette[0]

/** Of the strongest contribution: the scan still shows through. */
const strongest = 0.65

/** What is laid over a patch: opaquer the more it adds or takes; `limit` is the strongest, above 0. */
export function tintOf(contribution: number, limit: number): { fill: string; "fill-opacity": number } {
  return {
    fill: contribution > 0 ? adding : taking,
    "fill-opacity": strongest * Math.min(1, Math.abs(contribution) / limit),
  }
}

const [barWidth, barHeight] = [300, 12]

/** The tints from −limit to limit over a mid grey, with numbers below and `label` above. About 55 pixels high. */
export function colorBar(left: number, top: number, limit: number, label: string): string {
  const range = { label, from: -limit, to: limit }
  const bar = { x: left, y: top + 10, width: barWidth, height: barHeight }
  const stop = (offset: number, color: string, opacity: number) =>
    element("stop", { offset, "stop-color": color, "stop-opacity": opacity })
  const ticks = ticksOf({ ...range, ticks: ticksOf(axisOf("", [-limit, limit])).map(({ at }) => at) })
  return [
    element(
      "linearGradient",
      { id: "tints" },
      stop(0, taking, strongest),
      stop(0.5, taking, 0),
      stop(0.5, adding, 0),
      stop(1, adding, strongest),
    ),
    text(left, top, label, { size: 12, color: "#444" }),
    element("rect", { ...bar, fill: "#909090" }),
    element("rect", { ...bar, fill: "url(#tints)" }),
    ...ticks.map(({ at, words }) => {
      const x = left + barWidth * along(range, at)
      return text(x, top + barHeight + 25, words, { size: 12, anchor: "middle", color: "#444" })
    }),
  ].join("")
}
