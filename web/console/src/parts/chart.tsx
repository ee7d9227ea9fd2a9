// Charts, loaded when one is to be seen: lines and flows in the project's colours, as SVG, with a sentence for who cannot see them.
import { BarChart, LineChart, SankeyChart } from "echarts/charts";
import { AriaComponent, GridComponent, LegendComponent, MarkLineComponent, TooltipComponent } from "echarts/components";
import { init, use, type ComposeOption, type EChartsType } from "echarts/core";
import type { BarSeriesOption, LineSeriesOption, SankeySeriesOption } from "echarts/charts";
import type { AriaComponentOption, GridComponentOption, LegendComponentOption, TooltipComponentOption } from "echarts/components";
import { SVGRenderer } from "echarts/renderers";
import { useEffect, useRef } from "react";
import { colour } from "../colour";
import { useDark } from "../light";

use([BarChart, LineChart, SankeyChart, GridComponent, TooltipComponent, LegendComponent, MarkLineComponent, AriaComponent, SVGRenderer]);

export type ChartOption = ComposeOption<
  BarSeriesOption | LineSeriesOption | SankeySeriesOption | GridComponentOption | TooltipComponentOption | LegendComponentOption | AriaComponentOption
>;

export default function Chart({ option, height, says, onPick, onColumn }: { option: () => ChartOption; height: number; says: string; onPick?: (data: unknown) => void; /** Anywhere above a place of the axis. */ onColumn?: (at: number) => void }) {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<EChartsType | null>(null);
  const pick = useRef(onPick);
  pick.current = onPick;
  const column = useRef(onColumn);
  column.current = onColumn;
  const dark = useDark();
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const made = init(element, undefined, { renderer: "svg" });
    chart.current = made;
    made.on("click", (event) => pick.current?.(event.data));
    if (column.current) {
      const zr = made.getZr();
      zr.on("click", (event: { offsetX: number; offsetY: number }) => {
        const spot = [event.offsetX, event.offsetY];
        if (made.containPixel("grid", spot)) column.current?.(Math.round(Number(made.convertFromPixel({ seriesIndex: 0 }, spot)[0])));
      });
      zr.on("mousemove", (event: { offsetX: number; offsetY: number }) => zr.setCursorStyle(made.containPixel("grid", [event.offsetX, event.offsetY]) ? "pointer" : "default"));
    }
    const watch = new ResizeObserver(() => made.resize({ animation: { duration: 0 } }));
    watch.observe(element);
    return () => {
      watch.disconnect();
      made.dispose();
      chart.current = null;
    };
  }, []);
  useEffect(() => {
    chart.current?.setOption({ animation: false, textStyle: { fontFamily: "inherit", color: colour("--ink") }, ...option() }, { notMerge: true });
  }, [option, dark]);
  return <div ref={box} className="chart" style={{ height }} role="img" aria-label={says} />;
}
