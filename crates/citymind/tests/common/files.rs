//! Files made on the spot.

use std::{
    io::{Cursor, Read, Write},
    path::{Path, PathBuf},
};

use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

/// A policy document of its own: title, number and one clause that no other has.
pub fn policy(n: usize) -> String {
    format!(
        "# 启明市第{n}号试点办法\n\n启试发〔2025〕{n}号\n\n2025年3月1日印发\n\n## 第一章　总则\n\n第一条　为做好第{n}号试点工作，制定本办法。\n\n第二条　本办法自2025年4月1日起施行。\n\n## 第二章　标准\n\n第三条　代号{code}的试点单位，每月补助{amount}元，由街道办事处按月发放。\n\n{tail}",
        code = code(n),
        amount = 100 + n,
        tail = (4..24)
            .map(|a| format!(
                "第{}条　试点单位应当按照规定的时限和格式报送材料，接受监督检查。\n\n",
                numeral(a)
            ))
            .collect::<String>(),
    )
}

/// A word that only one document has: each place has characters of its own.
pub fn code(n: usize) -> String {
    const PLACES: [&str; 4] = [
        "鲲鹏麒麟貔貅饕餮螭虬",
        "猃狁獬豸狻猊狴犴睚眦",
        "蒹葭苜蓿菡萏芣苢薜荔",
        "琥珀玳瑁瑷珲琬琰瑾瑜",
    ];
    let digits = format!("{n:04}");
    PLACES
        .iter()
        .zip(digits.bytes())
        .filter_map(|(place, digit)| place.chars().nth(usize::from(digit - b'0')))
        .collect()
}

fn numeral(n: usize) -> String {
    const DIGITS: [&str; 10] = ["", "一", "二", "三", "四", "五", "六", "七", "八", "九"];
    match n {
        0..=9 => DIGITS[n].to_owned(),
        10..=19 => format!("十{}", DIGITS[n - 10]),
        _ => format!("{}十{}", DIGITS[n / 10], DIGITS[n % 10]),
    }
}

/// A zip of these entries.
pub fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        writer
            .start_file(*name, SimpleFileOptions::default())
            .unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A zip whose one entry unpacks to `megabytes` of zeros, beside a sound file.
pub fn bomb(megabytes: u64) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    writer.start_file("炸弹.txt", options).unwrap();
    std::io::copy(&mut std::io::repeat(0).take(megabytes << 20), &mut writer).unwrap();
    writer.start_file("正常.md", options).unwrap();
    writer.write_all(policy(901).as_bytes()).unwrap();
    writer.finish().unwrap().into_inner()
}

/// The folder of the demonstration city's documents.
pub fn demo() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../demo/knowledge")
}

/// A docx of the demonstration city.
pub fn docx() -> Vec<u8> {
    std::fs::read(demo().join("公积金/启明市住房公积金个人住房贷款管理实施细则.docx")).unwrap()
}

/// The files below a folder.
pub fn below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(below(&path))
        } else {
            found.push(path)
        }
    }
    found
}

/// “你好” and more in GBK, as old Windows programs write text.
pub fn gbk() -> Vec<u8> {
    // 关于发放补贴的通知\n\n每人每月补贴三百元。
    const BYTES: &[u8] = &[
        0xB9, 0xD8, 0xD3, 0xDA, 0xB7, 0xA2, 0xB7, 0xC5, 0xB2, 0xB9, 0xCC, 0xF9, 0xB5, 0xC4, 0xCD,
        0xA8, 0xD6, 0xAA, b'\n', b'\n', 0xC3, 0xBF, 0xC8, 0xCB, 0xC3, 0xBF, 0xD4, 0xC2, 0xB2, 0xB9,
        0xCC, 0xF9, 0xC8, 0xFD, 0xB0, 0xD9, 0xD4, 0xAA, 0xA1, 0xA3, b'\n',
    ];
    BYTES.to_vec()
}

/// The signature of a PNG and some of its bytes.
pub fn png() -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\0\0\0\x01\0\x08\x02\0\0\0".to_vec();
    bytes.extend((0..4000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8));
    bytes
}

/// Bytes that are no text.
pub fn binary() -> Vec<u8> {
    (0..8000u32)
        .map(|n| (n.wrapping_mul(2_246_822_519) >> 23) as u8)
        .collect()
}
