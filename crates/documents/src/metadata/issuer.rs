//! 发文机关 and the region it governs.

use super::{View, pattern};
use crate::document::DocumentKind;
use crate::page::Said;
use crate::structure::is_organ;

pattern!(
    CONGRESS,
    r"(?:^|[日 　（(，由])(?:第[一二三四五六七八九十]{1,3}届)?((?:[\p{Han}]{2,14}?(?:省|市|区|州|县))?(?:全国)?)(?:第[一二三四五六七八九十]{1,3}届)?(人民代表大会(?:常务委员会)?)"
);
pattern!(
    ABOUT,
    r"^(.{3,60}?)(?:(?:转发|批转|印发|发布)[^《]{0,60}?)?关于"
);
pattern!(
    COUNCIL,
    r"([\p{Han}]{3,25}?(?:委员会|审判委员会|局|政府|厅|部))第[一二三四五六七八九十0-9]{1,5}[届次]"
);
pattern!(
    PRINTED,
    r"日[ 　]*((?:[\p{Han}]{2,30}[ 　、]?){1,4}?)(?:联合)?(?:印发|发布|公布)"
);
pattern!(
    ORDERED,
    r"((?:中华人民共和国)?(?:国务院|[\p{Han}]{2,12}(?:部|委员会|总局|局|政府|署)))(?:令|公告|发布|公布)"
);
pattern!(
    PLACE,
    r"^(?:国家税务总局|中国人民银行|中共)?([\p{Han}]{2,8}?(?:省|自治区|特别行政区))?([\p{Han}]{2,7}?(?:市|自治州|盟|地区|新区))?"
);

pattern!(
    COUNTY,
    r"^([\p{Han}]{2,12}?(?:自治县|县|自治旗|旗|区))(?:人民|[\p{Han}]{0,14}(?:局|委员会|办公室|政府|中心|委)$)"
);

const NATIONAL: &[&str] = &[
    "全国人民代表大会",
    "全国人大",
    "国务院",
    "最高人民",
    "中华人民共和国",
    "全国",
    "国家",
    "中共中央",
    "中央",
    "财政部",
    "教育部",
    "公安部",
    "民政部",
    "司法部",
    "人力资源社会保障部",
    "人力资源和社会保障部",
    "工业和信息化部",
    "住房城乡建设部",
    "住房和城乡建设部",
    "交通运输部",
    "商务部",
    "应急管理部",
    "自然资源部",
    "生态环境部",
    "农业农村部",
    "水利部",
    "文化和旅游部",
    "科技部",
    "科学技术部",
    "外交部",
    "国防部",
    "海关总署",
    "中国证券",
    "中国银行",
    "国资委",
    "审计署",
];
/// Provinces as news name them.
const SHORT: &[(&str, &str)] = &[
    ("北京", "北京市"),
    ("上海", "上海市"),
    ("天津", "天津市"),
    ("重庆", "重庆市"),
    ("河北", "河北省"),
    ("山西", "山西省"),
    ("内蒙古", "内蒙古自治区"),
    ("辽宁", "辽宁省"),
    ("吉林", "吉林省"),
    ("黑龙江", "黑龙江省"),
    ("江苏", "江苏省"),
    ("浙江", "浙江省"),
    ("安徽", "安徽省"),
    ("福建", "福建省"),
    ("江西", "江西省"),
    ("山东", "山东省"),
    ("河南", "河南省"),
    ("湖北", "湖北省"),
    ("湖南", "湖南省"),
    ("广东", "广东省"),
    ("广西", "广西壮族自治区"),
    ("海南", "海南省"),
    ("四川", "四川省"),
    ("贵州", "贵州省"),
    ("云南", "云南省"),
    ("西藏", "西藏自治区"),
    ("陕西", "陕西省"),
    ("甘肃", "甘肃省"),
    ("青海", "青海省"),
    ("宁夏", "宁夏回族自治区"),
    ("新疆", "新疆维吾尔自治区"),
];
const MUNICIPALITIES: &[&str] = &["北京市", "上海市", "天津市", "重庆市"];

fn join(line: &str) -> String {
    let mut organs: Vec<&str> = Vec::new();
    for organ in line
        .split([' ', '\u{3000}', '\t'])
        .map(|o| o.trim_end_matches("（印章）").trim_end_matches("（章）"))
    {
        if !organ.is_empty() && !organs.contains(&organ) {
            organs.push(organ);
        }
    }
    organs.join("、")
}

/// 财政部 生态环境部 2020年2月20日 at the end of a line.
fn in_tail(line: &str) -> Option<String> {
    let date = lang::date::find(line).pop()?;
    if line[date.span.end..].chars().count() > 30 {
        return None;
    }
    let head = line[..date.span.start].trim_end();
    let from = head
        .rfind(['。', '：', '；', '！', '）'])
        .map_or(0, |i| i + 3);
    let organs = head[from..].trim();
    (organs.chars().count() >= 3 && is_organ(organs)).then(|| join(organs))
}

fn adopted(view: &View<'_>) -> Option<String> {
    // A long line tells of many amendments, or holds the whole text.
    let of_dates = |line: &&&str| {
        line.chars().count() <= 200
            || lang::date::find(line)
                .first()
                .is_some_and(|date| date.span.start <= 3)
    };
    for line in view.front.iter().take(12).filter(of_dates) {
        if !line.contains("通过")
            && !line.contains("公布")
            && !line.contains("发布")
            && !line.contains("批准")
            && !line.contains("印发")
        {
            continue;
        }
        if let Some(found) = CONGRESS.captures(line) {
            let place = match found[1].trim_start_matches('经') {
                "" => "全国",
                place => place,
            };
            return Some(format!("{place}{}", &found[2]));
        }
        if let Some(found) = PRINTED
            .captures(line)
            .filter(|found| is_organ(&found[1]) && found[1].chars().count() >= 4)
        {
            return Some(join(&found[1]));
        }
        if let Some(found) = COUNCIL.captures(line) {
            let organ = found[1]
                .rsplit('日')
                .next()
                .unwrap_or(&found[1])
                .trim_start_matches('由');
            return Some(
                organ
                    .trim_end_matches("审判委员会")
                    .trim_end_matches("检察委员会")
                    .to_owned(),
            );
        }
        if let Some(found) = ORDERED.captures(line) {
            let organ = found[1].rsplit(['日', ' ']).next().unwrap_or(&found[1]);
            let organ = organ.strip_prefix("中华人民共和国").unwrap_or(organ);
            return Some(organ.to_owned());
        }
    }
    None
}

fn in_title(title: &str) -> Option<String> {
    let head = ABOUT.captures(title)?;
    let organs: Vec<&str> = head[1]
        .split([' ', '、', '\u{3000}'])
        .filter(|o| !o.is_empty())
        .collect();
    let fit = !organs.is_empty()
        && organs
            .iter()
            .all(|organ| organ.chars().count() >= 3 && is_organ(organ));
    fit.then(|| organs.join("、"))
}

pub(super) fn find(view: &View<'_>, title: &str, said: &Said) -> Option<String> {
    let alone = || {
        view.front
            .iter()
            .skip(1)
            .take(4)
            .find(|line| line.chars().count() >= 4 && is_organ(line))
            .map(|line| join(line))
    };
    in_title(title)
        .or_else(|| said.issuer.clone())
        .or_else(|| {
            view.signature
                .as_ref()
                .map(|(organs, _)| join(&organs.join(" ")))
        })
        .or_else(|| adopted(view))
        .or_else(alone)
        .or_else(|| view.last(1).next().and_then(in_tail))
}

fn place(text: &str) -> Option<String> {
    if NATIONAL.iter().any(|name| text.starts_with(name)) && !text.starts_with("国家税务总局")
    {
        return Some("全国".into());
    }
    if let Some(city) = MUNICIPALITIES.iter().find(|city| text.starts_with(**city)) {
        return Some((*city).to_owned());
    }
    let found = PLACE.captures(text);
    let fits = |name: &str| {
        ![
            "城市", "本市", "我市", "全市", "各市", "超市", "全省", "本省", "县市", "市区", "关于",
        ]
        .iter()
        .any(|bad| name.starts_with(bad))
    };
    let name = found
        .and_then(|found| found.get(2).or_else(|| found.get(1)))
        .map(|m| m.as_str())
        .filter(|name| fits(name));
    match name {
        Some(name) => Some(name.to_owned()),
        None if text.starts_with("国家税务总局") => Some("全国".into()),
        None => {
            let (_, whole) = SHORT.iter().find(|(short, _)| text.starts_with(short))?;
            Some((*whole).to_owned())
        }
    }
}

/// A law that names no organ and no place, and speaks of the whole country, holds in it.
pub(super) fn national(view: &View<'_>, kind: DocumentKind) -> Option<String> {
    let text = view.text();
    let whole = text.contains("中华人民共和国境内")
        || text.contains("全国") && text.contains("国务院")
        || text.contains("制定本") && text.contains("国务院");
    let local = ["本省", "本市", "本自治区", "本区", "本县", "我省", "我市"]
        .iter()
        .any(|word| text.contains(word));
    (kind == DocumentKind::Law && whole && !local).then(|| "全国".to_owned())
}

/// 全国, or the city or province of the issuer, else of the title.
pub(super) fn region(issuer: Option<&str>, title: &str) -> Option<String> {
    let bare = title
        .trim_start_matches("关于")
        .trim_start_matches("印发")
        .trim_start_matches("发布")
        .trim_start_matches('《');
    let county = |issuer: &str| Some(COUNTY.captures(issuer)?[1].to_owned());
    issuer
        .and_then(place)
        .or_else(|| issuer.and_then(county))
        .or_else(|| place(bare))
}
