//! Charts of the times: a row a cell, a dot an entrant, its place the nanoseconds a message, on a logarithmic scale.

use std::path::Path;

use anyhow::{Result, anyhow};
use plotters::coord::Shift;
use plotters::prelude::*;

use crate::cell::{PLACES, SIZES};
use crate::report::OURS;
use crate::stats::Summary;
use crate::survey::{Finding, Findings};

/// Readable on white and on black, as nothing is behind the dots.
const INK: RGBColor = RGBColor(128, 128, 128);
const COLOURS: [RGBColor; 12] = [
    RGBColor(230, 57, 70),
    RGBColor(69, 123, 217),
    RGBColor(42, 157, 143),
    RGBColor(244, 162, 97),
    RGBColor(155, 93, 229),
    RGBColor(120, 150, 40),
    RGBColor(0, 160, 200),
    RGBColor(200, 130, 0),
    RGBColor(240, 110, 190),
    RGBColor(150, 110, 90),
    RGBColor(90, 100, 240),
    RGBColor(60, 170, 90),
];

const WIDTH: u32 = 1000;
const ROW: u32 = 24;
const LEGEND: u32 = 50;
const AXIS: u32 = 40;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Draws a chart for each place and one for the sizes of messages, and returns their names.
pub(crate) fn draw_all(findings: &Findings, folder: &Path) -> Result<Vec<String>> {
    let mut drawn = Vec::new();
    let mut draw_these = |name: String, rows: Vec<&Finding>| {
        if rows
            .iter()
            .any(|row| row.results.iter().any(|reading| reading.time().is_some()))
        {
            let file = folder.join(format!("{name}.svg"));
            // An error of the backend's borrows from it.
            draw(findings, &rows, &file).map_err(|wrong| anyhow!("{wrong}"))?;
            drawn.push(name);
        }
        Ok::<_, anyhow::Error>(())
    };
    for place in PLACES {
        let is_here = |row: &&Finding| row.cell.place == place && row.cell.size == SIZES[0];
        draw_these(
            place.to_string(),
            findings.cells.iter().filter(is_here).collect(),
        )?;
    }
    let of_sizes = findings.cells.iter().filter(|row| {
        let is_larger =
            |other: &Finding| other.cell.shape == row.cell.shape && other.cell.size > SIZES[0];
        findings.cells.iter().any(is_larger)
    });
    draw_these("sizes".to_owned(), of_sizes.collect())?;
    Ok(drawn)
}

fn draw(
    findings: &Findings,
    rows: &[&Finding],
    file: &Path,
) -> Result<(), Box<dyn std::error::Error>> {
    let height = LEGEND + ROW * rows.len() as u32 + AXIS;
    let area = SVGBackend::new(file, (WIDTH, height)).into_drawing_area();
    let (top, dots) = area.split_vertically(LEGEND);
    legend(findings, &top)?;

    let times = rows
        .iter()
        .flat_map(|row| &row.results)
        .filter_map(|reading| reading.time());
    let (least, most) = times.fold((f64::MAX, f64::MIN), |(least, most), time| {
        (least.min(time.min), most.max(time.max))
    });
    let mut chart = ChartBuilder::on(&dots)
        .margin_right(20)
        .x_label_area_size(AXIS)
        .y_label_area_size(180)
        // The first row on top.
        .build_cartesian_2d(
            (least * 0.8..most * 1.2).log_scale(),
            rows.len() as f64..0.0,
        )?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .axis_style(INK)
        .bold_line_style(INK.mix(0.4))
        .light_line_style(INK.mix(0.1))
        .label_style(("sans-serif", 13).into_font().color(&INK))
        .x_desc("ns a message")
        .y_labels(0)
        .x_label_formatter(&|nanos| format!("{nanos}"))
        .draw()?;
    for (place, row) in rows.iter().enumerate() {
        let middle = place as f64 + 0.5;
        let style = ("sans-serif", 13).into_font().color(&INK);
        let (x, y) = (5, (LEGEND + ROW * place as u32 + 6) as i32);
        area.draw_text(&row.cell.to_string(), &style, (x, y))?;
        for (entrant, reading) in row.results.iter().enumerate().rev() {
            if let Some(Summary { median, min, max }) = reading.time() {
                let colour = COLOURS[entrant % COLOURS.len()];
                let spread = PathElement::new(vec![(min, middle), (max, middle)], colour.mix(0.5));
                chart.draw_series([spread])?;
                chart.draw_series([Circle::new(
                    (median, middle),
                    radius(findings, entrant),
                    colour.filled(),
                )])?;
            }
        }
    }
    area.present()?;
    Ok(())
}

fn legend(findings: &Findings, area: &Area<'_>) -> Result<(), Box<dyn std::error::Error>> {
    let style = ("sans-serif", 13).into_font().color(&INK);
    for (place, entrant) in findings.entrants.iter().enumerate() {
        let (column, line) = (place as i32 % 7, place as i32 / 7);
        let (x, y) = (20 + 140 * column, 12 + 20 * line);
        let colour = COLOURS[place % COLOURS.len()];
        area.draw(&Circle::new(
            (x, y),
            radius(findings, place),
            colour.filled(),
        ))?;
        area.draw_text(entrant.name(), &style, (x + 12, y - 6))?;
    }
    Ok(())
}

fn radius(findings: &Findings, entrant: usize) -> i32 {
    if findings.entrants[entrant].name() == OURS {
        6
    } else {
        4
    }
}
