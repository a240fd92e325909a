//! The plots: what the hub costs in times the bare SQL, and how the list grows.

use super::Fault;
use super::measure::Figures;
use super::report::{Path as Way, Report};
use plotters::prelude::*;
use std::path::Path;

const SIZE: (u32, u32) = (860, 420);
const FONT: &str = "sans-serif";
/// SQLite, PostgreSQL.
const DATABASES: [(&str, RGBColor); 2] =
    [("SQLite", RGBColor(0x4c, 0x78, 0xa8)), ("PostgreSQL", RGBColor(0xe4, 0x57, 0x56))];
const WORKLOADS: [&str; 5] = ["W1", "W2", "W3", "W4", "W5"];

/// Draws both plots into a folder.
///
/// # Errors
///
/// If a file cannot be written, or there is nothing to draw.
pub fn draw(report: &Report, folder: &Path) -> Result<(), Fault> {
    std::fs::create_dir_all(folder)?;
    ratios(report, &folder.join("cpu-against-bare-sql.svg"))?;
    growth(report, &folder.join("list-growth.svg"))
}

/// CPU a request of the hub in times the bare SQL, at the highest concurrency.
fn ratios(report: &Report, file: &Path) -> Result<(), Fault> {
    let concurrency = report.cells.iter().map(|cell| cell.concurrency).max().ok_or("nothing was measured")?;
    let children = report.main_size().ok_or("nothing was measured")?;
    let ratio = |database: &str, workload: &str| {
        let of = |way| report.find(database, children, workload, concurrency, way);
        Some(of(Way::Hub)?.cpu_in_all() / of(Way::Limit)?.cpu_in_all())
    };
    let all = WORKLOADS.iter().flat_map(|workload| DATABASES.iter().filter_map(|(name, _)| ratio(name, workload)));
    let top = all.fold(4.0, f64::max) * 1.15;
    let root = SVGBackend::new(file, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let caption =
        format!("CPU a request, in times the bare SQL on the same rows ({concurrency} at once, {children} children)");
    let mut chart = ChartBuilder::on(&root)
        .caption(caption, (FONT, 16))
        .margin(12)
        .x_label_area_size(30)
        .y_label_area_size(46)
        .build_cartesian_2d(0.0..5.0, 0.0..top)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .x_labels(0)
        .y_desc("times the bare SQL")
        .y_label_formatter(&|value| format!("{value:.0}"))
        .draw()?;
    for (index, (name, colour)) in DATABASES.iter().enumerate() {
        let bars = WORKLOADS.iter().enumerate().filter_map(|(place, workload)| {
            let left = place as f64 + 0.16 + 0.34 * index as f64;
            Some((left, ratio(name, workload)?))
        });
        let bars: Vec<(f64, f64)> = bars.collect();
        let bar = |(left, value): &(f64, f64)| Rectangle::new([(*left, 0.0), (left + 0.32, *value)], colour.filled());
        chart
            .draw_series(bars.iter().map(bar))?
            .label(*name)
            .legend(move |(x, y)| Rectangle::new([(x, y - 5), (x + 12, y + 5)], colour.filled()));
        let label = |(left, value): &(f64, f64)| {
            Text::new(format!("{value:.1}"), (left + 0.07, value + top * 0.045), (FONT, 13).into_font())
        };
        chart.draw_series(bars.iter().map(label))?;
    }
    let names = WORKLOADS.iter().enumerate();
    let below = |(place, name): (usize, &&str)| {
        let (x, y) = chart.backend_coord(&(place as f64 + 0.5, 0.0));
        Text::new((*name).to_owned(), (x - 10, y + 10), (FONT, 15).into_font())
    };
    let below: Vec<_> = names.map(below).collect();
    for text in &below {
        root.draw(text)?;
    }
    chart.configure_series_labels().background_style(WHITE).border_style(BLACK).draw()?;
    root.present()?;
    Ok(())
}

/// CPU and p50 of the list against the number of children.
fn growth(report: &Report, file: &Path) -> Result<(), Fault> {
    let mut sizes: Vec<u64> =
        report.cells.iter().filter(|cell| cell.workload == "W2").map(|cell| cell.children).collect();
    sizes.sort_unstable();
    sizes.dedup();
    let (Some(first), Some(last)) = (sizes.first(), sizes.last()) else { return Ok(()) };
    let (from, to) = ((*first as f64) * 0.7, (*last as f64) * 1.4);
    let cpu: fn(&Figures) -> f64 = Figures::cpu_in_all;
    let p50: fn(&Figures) -> f64 = |figures| figures.p50;
    let concurrency = |high: bool| {
        let all = report.cells.iter().map(|cell| cell.concurrency);
        if high { all.max() } else { all.min() }
    };
    let panels = [
        ("CPU a request (ms), 16 at once", cpu, concurrency(true).unwrap_or(16)),
        ("p50 (ms), one at a time", p50, concurrency(false).unwrap_or(1)),
    ];
    let root = SVGBackend::new(file, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    for (area, (caption, figure, concurrency)) in root.split_evenly((1, 2)).iter().zip(panels) {
        let points = |database: &str, way: Way| -> Vec<(f64, f64)> {
            let point = |size: &u64| {
                let figures = report.find(database, *size, "W2", concurrency, way)?;
                Some((*size as f64, figure(&figures)))
            };
            sizes.iter().filter_map(point).collect()
        };
        let ways = [(Way::Hub, "hub", 2), (Way::Limit, "bare SQL", 1)];
        let all = DATABASES.iter().flat_map(|(name, _)| ways.iter().flat_map(|way| points(name, way.0)));
        let top = all.map(|(_, value)| value).fold(1.0, f64::max) * 1.15;
        let mut chart = ChartBuilder::on(area)
            .caption(format!("W2: {caption}"), (FONT, 15))
            .margin(10)
            .x_label_area_size(36)
            .y_label_area_size(40)
            .build_cartesian_2d((from..to).log_scale(), 0.0..top)?;
        chart
            .configure_mesh()
            .x_desc("children")
            .x_labels(4)
            .x_label_formatter(&|value| format!("{value:.0}"))
            .y_label_formatter(&|value| format!("{value:.1}"))
            .draw()?;
        for (name, colour) in DATABASES {
            for (way, label, width) in ways {
                let line = points(name, way);
                let style =
                    if way == Way::Hub { colour.stroke_width(width) } else { colour.mix(0.45).stroke_width(width) };
                chart
                    .draw_series(LineSeries::new(line.clone(), style))?
                    .label(format!("{name}, {label}"))
                    .legend(move |(x, y)| PathElement::new(vec![(x, y), (x + 16, y)], style));
                chart.draw_series(line.into_iter().map(|point| Circle::new(point, 3, style.filled())))?;
            }
        }
        let corner = SeriesLabelPosition::UpperLeft;
        chart.configure_series_labels().position(corner).background_style(WHITE.mix(0.8)).border_style(BLACK).draw()?;
    }
    root.present()?;
    Ok(())
}
