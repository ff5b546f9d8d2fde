//! What hchan is meant to reach.

use crate::report;

/// Something that should be at most so much.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) what: String,
    pub(crate) most: f64,
    /// `None`: it was not measured.
    pub(crate) reached: Option<f64>,
}

impl Target {
    fn verdict(&self) -> &'static str {
        match self.reached {
            None => "not measured",
            Some(reached) if reached <= self.most => "reached",
            Some(_) => "**not reached**",
        }
    }

    fn row(&self) -> Vec<String> {
        let reached = self.reached.map(|reached| format!("{reached:.2}"));
        vec![
            self.what.clone(),
            format!("{:.2}", self.most),
            reached.unwrap_or("–".to_owned()),
            self.verdict().to_owned(),
        ]
    }
}

pub(crate) fn table(targets: &[Target]) -> String {
    let rows: Vec<_> = targets.iter().map(Target::row).collect();
    report::table("Targets", &["what", "at most", "is", ""], &rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_reached_up_to_its_most() {
        let verdict = |reached| {
            let target = Target {
                what: String::new(),
                most: 1.1,
                reached,
            };
            target.verdict()
        };
        assert_eq!(verdict(Some(1.1)), "reached");
        assert_eq!(verdict(Some(1.2)), "**not reached**");
        assert_eq!(verdict(None), "not measured");
    }
}
