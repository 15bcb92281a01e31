//! Unified social credit codes (统一社会信用代码, GB 32100): 18 characters, the last of which checks the others.

/// The characters in the order of their values: digits and capitals without I, O, S, V and Z.
const ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";

/// 3 to the power of the place, modulo 31.
const WEIGHTS: [usize; 17] = [
    1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28,
];

/// Whether this is a well-formed unified social credit code with the right check character.
pub fn is_credit_code(code: &str) -> bool {
    let values: Option<Vec<usize>> = code
        .bytes()
        .map(|b| ALPHABET.iter().position(|a| *a == b))
        .collect();
    let Some(values) = values.filter(|v| v.len() == 18) else {
        return false;
    };
    let sum: usize = values.iter().zip(WEIGHTS).map(|(v, w)| v * w).sum();
    values[17] == (31 - sum % 31) % 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_right_code_passes_and_any_changed_character_fails() {
        // The example of a code in the public register of a well-known company.
        let code = "91440300708461136T";
        assert!(is_credit_code(code));
        for place in 0..18 {
            for other in ALPHABET {
                let mut changed = code.as_bytes().to_vec();
                if changed[place] == *other {
                    continue;
                }
                changed[place] = *other;
                let changed = String::from_utf8(changed).unwrap();
                assert!(!is_credit_code(&changed), "{changed}");
            }
        }
    }

    #[test]
    fn what_is_too_short_or_holds_foreign_characters_is_no_code() {
        for no in [
            "",
            "91440300708461136",
            "91440300708461136i",
            "九一四四",
            "91440300708461136TT",
        ] {
            assert!(!is_credit_code(no), "{no}");
        }
    }
}
