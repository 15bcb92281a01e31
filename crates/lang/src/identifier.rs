//! Numbers that people and businesses are known by, with their check digits.

use jiff::civil::Date;

/// A resident identity number (公民身份号码, GB 11643-1999).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityNumber {
    /// 18 characters, the last may be X.
    pub number: String,
    /// The day of birth.
    pub born: Date,
    /// Whether the sequence number is that of a man.
    pub male: bool,
}

/// Reads a resident identity number of 18 characters; its day of birth must exist and its check character fit.
pub fn identity_number(text: &str) -> Option<IdentityNumber> {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let number = compact(text);
    if number.len() != 18 || !number[..17].bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let digits = number[..17].bytes().map(|b| u32::from(b - b'0'));
    let sum: u32 = digits.zip(WEIGHTS).map(|(d, w)| d * w).sum();
    let check = b"10X98765432"[(sum % 11) as usize];
    let part = |from: usize, to: usize| number[from..to].parse::<i16>().ok();
    let month = i8::try_from(part(10, 12)?).ok()?;
    let day = i8::try_from(part(12, 14)?).ok()?;
    let born = Date::new(part(6, 10)?, month, day).ok()?;
    let fits = number.as_bytes()[17] == check && born.year() >= 1880;
    let male = (number.as_bytes()[16] - b'0') % 2 == 1;
    fits.then_some(IdentityNumber { number, born, male })
}

/// Reads the number of a bank card: 16 to 19 digits with a Luhn check digit.
pub fn bank_card(text: &str) -> Option<String> {
    let number = compact(text);
    let sized = (16..=19).contains(&number.len());
    let digits = number.bytes().all(|b| b.is_ascii_digit());
    (sized && digits && luhn(&number)).then_some(number)
}

fn luhn(number: &str) -> bool {
    let sum: u32 = number
        .bytes()
        .rev()
        .enumerate()
        .map(|(at, b)| {
            let digit = u32::from(b - b'0');
            match at % 2 {
                0 => digit,
                _ if digit > 4 => digit * 2 - 9,
                _ => digit * 2,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Reads a unified social credit code (统一社会信用代码, GB 32100-2015).
pub fn credit_code(text: &str) -> Option<String> {
    const SIGNS: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";
    const WEIGHTS: [usize; 17] = [
        1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28,
    ];
    let code = compact(text);
    if code.len() != 18 {
        return None;
    }
    let values: Option<Vec<usize>> = code.chars().map(|c| SIGNS.find(c)).collect();
    let values = values?;
    let sum: usize = values.iter().zip(WEIGHTS).map(|(v, w)| v * w).sum();
    ((31 - sum % 31) % 31 == values[17]).then_some(code)
}

/// Reads a telephone number: a mobile one of 11 digits, or a landline with its area code.
pub fn phone(text: &str) -> Option<String> {
    let number = compact(text);
    let number = number.strip_prefix("+86").unwrap_or(&number);
    let digits: String = number.chars().filter(|c| *c != '-').collect();
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let mobile = digits.len() == 11 && digits.starts_with('1') && digits.as_bytes()[1] >= b'3';
    let landline = digits.starts_with('0') && (10..=12).contains(&digits.len());
    if mobile {
        Some(digits)
    } else if landline {
        Some(number.to_owned())
    } else {
        None
    }
}

/// Half width, upper case, without blanks and the marks that people put between groups.
fn compact(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '０'..='９' | 'Ａ'..='Ｚ' | 'ａ'..='ｚ' => {
                char::from_u32(c as u32 - 0xFEE0).unwrap_or(c)
            }
            c => c,
        })
        .filter(|c| !c.is_whitespace())
        .collect::<String>()
        .to_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits_are_checked() {
        let read = identity_number("110101 19900307 8515").expect("a valid number");
        assert_eq!(read.born.to_string(), "1990-03-07");
        assert!(read.male);
        for wrong in [
            "110101199003078516",
            "110101199002308515",
            "11010119900307851",
            "身份证",
        ] {
            assert_eq!(identity_number(wrong), None, "{wrong}");
        }
        assert!(bank_card("6222 0202 0011 2233 446").is_some());
        assert!(bank_card("6222020200112233445").is_none());
        assert!(credit_code("91350100M000100Y43").is_some());
        assert!(credit_code("91350100M000100Y44").is_none());
        assert_eq!(phone("+86 138-0013-8000").as_deref(), Some("13800138000"));
        assert!(phone("0600-8100393").is_some());
        assert!(phone("12345").is_none());
    }
}
