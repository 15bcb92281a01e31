//! Bare abuse: a message that holds nothing else. An angry complaint has a matter, and passes.

use std::sync::LazyLock;

use lang::{fold::Folded, spot::Rules};

/// Characters that may be left when the abuse and its padding are taken away.
const LEAST_MATTER: usize = 1;

static CURSES: LazyLock<Rules> = LazyLock::new(|| {
    Rules::parse(include_str!("data/curses.tsv"), 1).expect("the rules are fixed")
});

/// Whether a message holds abuse and nothing else.
pub(super) fn is_bare(folded: &Folded) -> bool {
    let mut covered = vec![false; folded.glyphs.len()];
    let (mut strong, mut weak, mut sole, mut aimed) = (false, false, false, false);
    for (label, range) in CURSES.all(folded) {
        match label {
            "strong" => strong = true,
            "weak" => weak = true,
            "sole" => sole = true,
            "aimed" => aimed = true,
            _ => {}
        }
        covered[range].fill(true);
    }
    let matter = covered.iter().filter(|c| !**c).count();
    ((strong || (weak && aimed)) && matter <= LEAST_MATTER) || (sole && matter == 0)
}
