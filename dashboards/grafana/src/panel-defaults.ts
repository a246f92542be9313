import * as common from '@grafana/grafana-foundation-sdk/common'
import { LegendDisplayMode, LegendPlacement, VisibilityMode } from '@grafana/grafana-foundation-sdk/common'
import type { DynamicConfigValue } from '@grafana/grafana-foundation-sdk/dashboard'
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table'
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries'
import { CLICKHOUSE_PLUGIN, clickHouseQuery } from './clickhouse-query.ts'
import { reference } from './grafana-reference.ts'

/** Columns of Grafana's grid. */
export const GRID_WIDTH = 24

export interface PanelText {
  readonly title: string
  readonly description: string
  /** Grafana unit id: `ms`, `reqps`, `percentunit`, `short`, `none`. */
  readonly unit: string
  readonly sql: string
}

const datasource = { type: CLICKHOUSE_PLUGIN, uid: reference('datasource') }

/** A time series with its legend as a table below. `legend` are the reductions it lists. */
export function timeseriesPanel(
  text: PanelText & {
    readonly style?: 'line' | 'bars'
    readonly legend: readonly string[]
    readonly nameFrom?: string
  },
): TimeseriesBuilder {
  const panel = new TimeseriesBuilder()
    .title(text.title)
    .description(text.description)
    .unit(text.unit)
    .min(0)
    .datasource(datasource)
    .withTarget(clickHouseQuery(text.sql, 'timeseries'))
    .span(12)
    .height(9)
    .lineWidth(2)
    .fillOpacity(text.style === 'bars' ? 80 : 8)
    .drawStyle(text.style === 'bars' ? common.GraphDrawStyle.Bars : common.GraphDrawStyle.Line)
    .showPoints(VisibilityMode.Auto)
    .legend(
      new common.VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.Table)
        .placement(LegendPlacement.Bottom)
        .showLegend(true)
        .calcs([...text.legend]),
    )
    .tooltip(
      new common.VizTooltipOptionsBuilder()
        .mode(common.TooltipDisplayMode.Multi)
        .sort(common.SortOrder.Descending),
    )
  // A long answer (time, label, value) becomes one series per label.
  return text.nameFrom === undefined ? panel : panel.displayName(reference(`__field.labels.${text.nameFrom}`))
}

/** How one column of a table is drawn. */
export interface Column {
  readonly unit?: string
  readonly decimals?: number
  readonly widthPx?: number
  /** Template of a link, with `${__value.raw}`. */
  readonly url?: string | undefined
  readonly linkTitle?: string
}

/** A table; `columns` are by the alias of the query. */
export function tablePanel(
  text: PanelText & { readonly columns: Readonly<Record<string, Column>> },
): TableBuilder {
  const panel = new TableBuilder()
    .title(text.title)
    .description(text.description)
    .unit(text.unit)
    .datasource(datasource)
    .withTarget(clickHouseQuery(text.sql, 'table'))
    .span(GRID_WIDTH)
    .height(9)
    .filterable(true)
    .cellHeight(common.TableCellHeight.Sm)
  for (const [name, column] of Object.entries(text.columns)) panel.overrideByName(name, propertiesOf(column))
  return panel
}

function propertiesOf(column: Column): DynamicConfigValue[] {
  const properties: DynamicConfigValue[] = []
  if (column.unit !== undefined) properties.push({ id: 'unit', value: column.unit })
  if (column.decimals !== undefined) properties.push({ id: 'decimals', value: column.decimals })
  if (column.widthPx !== undefined) properties.push({ id: 'custom.width', value: column.widthPx })
  if (column.url !== undefined) {
    properties.push({
      id: 'links',
      value: [{ title: column.linkTitle ?? 'Open', url: column.url, targetBlank: true }],
    })
  }
  return properties
}
