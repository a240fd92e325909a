//! The plots.

use super::Fault;
use super::report::Report;
use std::path::Path;

/// Draws the plots into a folder.
pub fn draw(_report: &Report, _folder: &Path) -> Result<(), Fault> {
    Ok(())
}
