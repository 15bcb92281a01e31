//! Businesses and policies made up from a seed, for demonstration and measurement. Nothing here stands for a real business.

use std::sync::Arc;

use jiff::{ToSpan, civil::Date};
use rules::{Expression, Facts, Value};
use rust_decimal::Decimal;

use super::{catalogue::Entry, profile, schema::Policy};

/// A generator of the same numbers for the same seed (splitmix64).
#[derive(Clone, Debug)]
pub struct Seeded(u64);

impl Seeded {
    /// Begins at a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `end`; 0 if that is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    /// True so many times in a hundred.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn pick<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        list.get(self.below(list.len() as u64) as usize)
    }

    /// Between two numbers, small ones more often.
    fn skewed(&mut self, from: u64, to: u64) -> u64 {
        let share = self.below(1_000) as f64 / 1_000.0;
        from + ((to - from) as f64 * share * share * share) as u64
    }
}

/// A made-up business.
#[derive(Clone, Debug)]
pub struct Made {
    /// Its name.
    pub name: String,
    /// Its unified social credit code, with valid check characters.
    pub credit_code: String,
    /// What is known of it.
    pub facts: Facts,
}

const HEADS: [&str; 20] = [
    "恒远", "启衡", "明拓", "云岭", "星野", "曙禾", "望川", "临溪", "晨曜", "安泽", "瑞禾", "博渊",
    "嘉澍", "宏砚", "同舟", "广陌", "新禾", "金穗", "海岳", "长青",
];
const TAILS: [&str; 12] = [
    "达", "和", "源", "信", "科", "丰", "盛", "益", "通", "诚", "宁", "康",
];

/// The industries with what such a business calls itself, and how many in a hundred there are.
const TRADES: [(&str, &str, u64); 18] = [
    ("manufacturing", "精密制造", 26),
    ("trade", "商贸", 16),
    ("information", "软件技术", 11),
    ("hospitality", "餐饮管理", 7),
    ("agriculture", "农业", 7),
    ("construction", "建设工程", 5),
    ("transport", "物流", 5),
    ("business_services", "商务服务", 4),
    ("research", "检测技术", 4),
    ("culture", "文化传播", 3),
    ("household_services", "家政服务", 3),
    ("health", "养老服务", 2),
    ("education", "教育咨询", 2),
    ("real_estate", "置业", 1),
    ("environment", "环境工程", 1),
    ("utilities", "新能源", 1),
    ("mining", "矿业", 1),
    ("finance", "融资担保", 1),
];

const DISTRICTS: [(&str, &str); 6] = [
    ("shuguang", "曙光区"),
    ("chenyang", "晨阳区"),
    ("yunqiao", "云桥区"),
    ("xinghe", "星河区"),
    ("wangshan", "望山县"),
    ("linxi", "临溪县"),
];

/// So many made-up businesses, as of a day. A few things are unknown of some of them, as in life.
pub fn businesses(seed: u64, count: usize, on: Date) -> Vec<Made> {
    let mut seeded = Seeded::new(seed);
    (0..count).map(|n| business(&mut seeded, n, on)).collect()
}

fn business(seeded: &mut Seeded, number: usize, on: Date) -> Made {
    let mut at = seeded.below(100);
    let trade = TRADES.iter().find(|t| {
        let here = at < t.2;
        at = at.saturating_sub(t.2);
        here
    });
    let (industry, word, _) = trade.copied().unwrap_or(TRADES[0]);
    let (district, place) = DISTRICTS[seeded.below(6) as usize];
    let kind = match seeded.below(100) {
        0..12 => "individual",
        12..17 if industry == "agriculture" => "cooperative",
        17..20 if matches!(industry, "education" | "health") => "nonprofit",
        _ => "company",
    };
    let staff = match kind {
        "individual" => seeded.below(8),
        _ => seeded.skewed(2, 900),
    };
    let size = match staff {
        0..10 => "micro",
        10..100 => "small",
        100..300 => "medium",
        _ => "large",
    };
    let ending = match kind {
        "individual" => "店",
        "cooperative" => "专业合作社",
        "nonprofit" => "服务中心",
        _ => "有限公司",
    };
    let head = HEADS[seeded.below(20) as usize];
    let tail = TAILS[seeded.below(12) as usize];
    let mut facts = Facts::new();
    {
        let mut text = |id: &str, value: &str| facts.insert(id.to_owned(), value.into());
        text("kind", kind);
        text("industry", industry);
        text("size", size);
        text("district", district);
    }
    let days = seeded.skewed(20, 9_000) as i64;
    let established = on.checked_sub(days.days()).unwrap_or(on);
    facts.insert("established_on".to_owned(), established.into());
    people(seeded, &mut facts, staff);
    money(seeded, &mut facts, staff, industry);
    facts.insert(
        "qualifications".to_owned(),
        Value::List(qualifications(seeded, industry, kind, staff)),
    );
    for (id, percent) in [
        ("dishonest", 2),
        ("tax_arrears", 4),
        ("wage_arrears", 3),
        ("safety_accident", 2),
        ("environmental_penalty", 3),
    ] {
        facts.insert(id.to_owned(), seeded.chance(percent).into());
    }
    // What nobody has told yet.
    let gaps = seeded.below(4);
    for _ in 0..gaps {
        if let Some(field) = seeded.pick(&profile::fields()[5..]) {
            facts.remove(&field.id);
        }
    }
    Made {
        name: format!("启明市{place}{head}{tail}{word}{ending}"),
        credit_code: credit_code(kind, number),
        facts,
    }
}

fn people(seeded: &mut Seeded, facts: &mut Facts, staff: u64) {
    let mut put = |id: &str, n: u64| facts.insert(id.to_owned(), (n as i64).into());
    put("staff", staff);
    let outside = if seeded.chance(70) {
        0
    } else {
        seeded.below(staff / 5 + 1)
    };
    put("insured_staff", staff - outside);
    let hires = seeded.skewed(0, staff / 3 + 1);
    put("new_hires", hires);
    put("new_graduates", seeded.below(hires / 2 + 1));
    put("veterans_hired", seeded.below(hires / 6 + 2).min(hires));
    put("poverty_hires", seeded.below(hires / 8 + 1));
    put("unemployed_hires", seeded.below(hires / 5 + 1));
    put("disabled_staff", seeded.below(staff / 40 + 2).min(staff));
    let loss = if seeded.chance(60) { 0 } else { staff / 15 + 1 };
    put("laid_off", seeded.below(loss + 1));
}

fn money(seeded: &mut Seeded, facts: &mut Facts, staff: u64, industry: &str) {
    let mut put = |id: &str, yuan: u64| {
        // To the hundred, as such figures are told.
        let round = Decimal::from(yuan / 100 * 100);
        facts.insert(id.to_owned(), round.into());
    };
    let revenue = (staff + 1) * (80_000 + seeded.skewed(0, 1_400_000));
    put("revenue", revenue);
    put("revenue_last_year", revenue * (70 + seeded.below(50)) / 100);
    put("output_value", revenue * (90 + seeded.below(20)) / 100);
    put("tax_paid", revenue * seeded.below(6) / 100);
    let inventive = matches!(industry, "manufacturing" | "information" | "research");
    let share = if inventive {
        seeded.below(12)
    } else {
        seeded.below(2)
    };
    put("rnd_spend", revenue * share / 100);
    put("fixed_investment", revenue * seeded.skewed(0, 40) / 100);
    let exports = inventive && seeded.chance(30);
    put(
        "export_value",
        if exports {
            revenue * seeded.below(60) / 100
        } else {
            0
        },
    );
    let online = matches!(industry, "trade" | "agriculture" | "manufacturing");
    put(
        "online_sales",
        if online {
            revenue * seeded.below(50) / 100
        } else {
            0
        },
    );
    let borrows = seeded.chance(45);
    put(
        "loan_amount",
        if borrows {
            revenue * seeded.below(40) / 100
        } else {
            0
        },
    );
    put("training_spend", staff * seeded.skewed(0, 1_500));
    put(
        "rent_paid",
        if seeded.chance(60) {
            staff * 3_000 + 12_000
        } else {
            0
        },
    );
    put("social_insurance_paid", staff * 14_000);
    put("unemployment_insurance_paid", staff * 480);
    let saved = if industry == "manufacturing" {
        seeded.skewed(0, 900)
    } else {
        0
    };
    let mut count = |id: &str, n: u64| facts.insert(id.to_owned(), (n as i64).into());
    count("energy_saved_tce", saved);
    let patents = if inventive { seeded.skewed(0, 30) } else { 0 };
    count("invention_patents", patents / 2);
    count("utility_patents", patents);
    count("standards_led", u64::from(inventive && seeded.chance(6)));
}

fn qualifications(seeded: &mut Seeded, industry: &str, kind: &str, staff: u64) -> Vec<String> {
    if kind != "company" {
        return if seeded.chance(15) {
            vec!["entrepreneur_key_group".to_owned()]
        } else {
            Vec::new()
        };
    }
    let inventive = matches!(industry, "manufacturing" | "information" | "research");
    let chances = [
        ("high_tech", if inventive { 25 } else { 1 }),
        ("sme_tech", if inventive { 35 } else { 2 }),
        ("specialised", if inventive { 14 } else { 1 }),
        ("little_giant", if inventive { 3 } else { 0 }),
        ("innovative_sme", if inventive { 18 } else { 2 }),
        ("above_scale", if staff >= 60 { 60 } else { 3 }),
        ("first_above_scale", if staff >= 40 { 8 } else { 0 }),
        (
            "green_factory",
            if industry == "manufacturing" { 6 } else { 0 },
        ),
        (
            "smart_factory",
            if industry == "manufacturing" { 5 } else { 0 },
        ),
        ("tech_centre", if inventive { 6 } else { 0 }),
        ("time_honoured", 2),
        (
            "agri_leader",
            if industry == "agriculture" { 20 } else { 0 },
        ),
        ("listed", 1),
        (
            "incubator",
            if industry == "business_services" {
                15
            } else {
                0
            },
        ),
        ("headquarters", 1),
        ("foreign_trade", if inventive { 25 } else { 5 }),
        ("training_base", 5),
        ("entrepreneur_key_group", 6),
    ];
    let mut held = Vec::new();
    for (name, percent) in chances {
        if seeded.chance(percent) {
            held.push(name.to_owned());
        }
    }
    held
}

/// A code with valid check characters (GB 32100 and, within it, GB 11714), of an area that does not exist.
fn credit_code(kind: &str, number: usize) -> String {
    const SIGNS: &[u8] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
    const DIGITS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let head = match kind {
        "individual" => "92",
        "cooperative" => "93",
        "nonprofit" => "52",
        _ => "91",
    };
    let organisation = format!("MA{number:06}");
    let weights = [3, 7, 9, 10, 5, 8, 4, 2];
    let place = |signs: &[u8], b: u8| signs.iter().position(|s| *s == b).unwrap_or_default();
    let sum: usize = organisation
        .bytes()
        .zip(weights)
        .map(|(b, w)| place(DIGITS, b) * w)
        .sum();
    let check = match 11 - sum % 11 {
        10 => 'X',
        11 => '0',
        n => char::from(b'0' + u8::try_from(n).unwrap_or_default()),
    };
    let code = format!("{head}990100{organisation}{check}");
    let mut weight = 1;
    let mut sum = 0;
    for b in code.bytes() {
        sum += place(SIGNS, b) * weight;
        weight = weight * 3 % 31;
    }
    let last = SIGNS[(31 - sum % 31) % 31];
    format!("{code}{}", char::from(last))
}

/// The policies varied to so many: thresholds and industries differ, the form of the rules stays.
pub fn varied(entries: &[Arc<Entry>], seed: u64, count: usize) -> Vec<Arc<Entry>> {
    let mut seeded = Seeded::new(seed);
    let mut all: Vec<Arc<Entry>> = entries.iter().take(count).cloned().collect();
    while !entries.is_empty() && all.len() < count {
        let base = &entries[all.len() % entries.len()];
        let mut policy: Policy = base.policy.clone();
        policy.id = format!("{}-{}", policy.id, all.len());
        for rule in &mut policy.rules {
            rule.require = vary(&mut seeded, &rule.require);
        }
        all.push(Arc::new(Entry::new(policy, String::new(), String::new())));
    }
    all
}

fn vary(seeded: &mut Seeded, expression: &Expression) -> Expression {
    let mut text = String::new();
    let mut rest = expression.source();
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, tail) = rest.split_at(at);
        let end = tail
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(tail.len());
        let (number, after) = tail.split_at(end);
        text.push_str(before);
        let named = before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '"');
        match number.parse::<u64>() {
            // Dates and small counts stay.
            Ok(n) if !named && n > 2 && !before.ends_with('-') => {
                text.push_str(&(n * (50 + seeded.below(150)) / 100).max(1).to_string());
            }
            _ => text.push_str(number),
        }
        rest = after;
    }
    text.push_str(rest);
    if seeded.chance(50)
        && let (Some(one), Some(other)) = (seeded.pick(&TRADES), seeded.pick(&TRADES))
    {
        text = text.replace(&format!("\"{}\"", one.0), &format!("\"{}\"", other.0));
    }
    Expression::read(&text).unwrap_or_else(|_| expression.clone())
}
