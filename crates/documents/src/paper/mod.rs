//! Forms on paper: a filled form as a Word document and as a PDF.
//!
//! | module | what |
//! |---|---|
//! | `docx` | the Word document |
//! | `pdf` | the PDF: A4, with a font that every reader brings along |
//! | `measure` | how wide characters are, and where lines break |

mod docx;
mod measure;
mod pdf;

use kernel::Result;

/// A filled form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Paper {
    /// The title.
    pub title: String,
    /// What stands below the title on one line: number, day, office.
    pub head: Vec<(String, String)>,
    /// The table, by section.
    pub sections: Vec<PaperSection>,
    /// What the applicant declares.
    pub statement: Option<String>,
    /// Who signs; a line for the signature and the day follows.
    pub signer: Option<String>,
    /// What stands at the foot of each page before the number of the page.
    pub foot: String,
}

/// A section of a form's table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PaperSection {
    /// Its title.
    pub title: String,
    /// Its rows: a label and the lines of its value.
    pub rows: Vec<(String, Vec<String>)>,
}

impl Paper {
    /// As a Word document.
    ///
    /// # Errors
    /// `Internal` if it cannot be packed.
    pub fn docx(&self) -> Result<Vec<u8>> {
        docx::write(self)
    }

    /// As a PDF.
    ///
    /// # Errors
    /// `Internal` if it cannot be written.
    pub fn pdf(&self) -> Result<Vec<u8>> {
        pdf::write(self)
    }

    /// What stands below the title.
    fn head_line(&self) -> String {
        let told: Vec<_> = self
            .head
            .iter()
            .map(|(label, value)| format!("{label}：{value}"))
            .collect();
        told.join("　　")
    }

    /// The line to sign on.
    fn signature(&self) -> Option<String> {
        let signer = self.signer.as_ref()?;
        Some(format!(
            "{signer}（签名）：________________　　日期：______年____月____日"
        ))
    }
}

/// Without characters that neither format takes.
fn clean(text: &str) -> String {
    text.chars()
        .map(|c| if c == '\t' || c == '\n' { ' ' } else { c })
        .filter(|c| !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}'))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, read};

    fn form() -> Paper {
        let row = |label: &str, lines: &[&str]| {
            let lines = lines.iter().map(|l| (*l).to_owned());
            (label.to_owned(), lines.collect())
        };
        let long = "启明市曙光区幸福路甲12号院3号楼2单元1502室（原建设新村南门西侧第二栋），由本人与配偶共同承租，租期自2026年1月1日起";
        Paper {
            title: "启明市住房公积金租房提取申请表".to_owned(),
            head: vec![
                ("办件编号".to_owned(), "BJ20261127-ABCD1234".to_owned()),
                ("提交日期".to_owned(), "2026年11月27日".to_owned()),
            ],
            sections: vec![
                PaperSection {
                    title: "申请人".to_owned(),
                    rows: vec![
                        row("姓名", &["古丽娜·阿依"]),
                        row("身份证号", &["110101199003078515"]),
                        row("收款银行卡号", &["6222020200112233446"]),
                        row("居住地址", &[long]),
                        row("备注", &["<A&B> \"引号\" 'x'\u{7}"]),
                    ],
                },
                PaperSection {
                    title: "金额计算".to_owned(),
                    rows: vec![row(
                        "每月可提取",
                        &["2250元", "每人每月提取额度1500元 × 倍数1.5 = 2250元"],
                    )],
                },
            ],
            statement: Some("本人承诺以上信息真实有效，并授权公积金中心查询本人及配偶的婚姻、不动产登记和租赁备案信息。".to_owned()),
            signer: Some("申请人".to_owned()),
            foot: "BJ20261127-ABCD1234".to_owned(),
        }
    }

    /// What the reader gives, without blanks: lines may break anywhere.
    fn text(name: &str, bytes: &[u8]) -> String {
        let read = read(name, bytes, &Limits::default()).unwrap();
        read.text.chars().filter(|c| !c.is_whitespace()).collect()
    }

    fn holds_all(paper: &Paper, text: &str) {
        let squeezed = |t: &str| -> String {
            let kept = clean(t);
            kept.chars().filter(|c| !c.is_whitespace()).collect()
        };
        let mut wanted = vec![paper.title.clone(), paper.signer.clone().unwrap()];
        wanted.extend(paper.head.iter().map(|h| h.1.clone()));
        wanted.extend(paper.statement.clone());
        for section in &paper.sections {
            wanted.push(section.title.clone());
            for (label, lines) in &section.rows {
                wanted.push(label.clone());
                wanted.extend(lines.clone());
            }
        }
        for part in wanted {
            assert!(text.contains(&squeezed(&part)), "{part} is not in {text}");
        }
    }

    #[test]
    fn our_own_reader_finds_every_word_of_the_word_document() {
        let paper = form();
        holds_all(&paper, &text("表.docx", &paper.docx().unwrap()));
    }

    #[test]
    fn our_own_reader_finds_every_word_of_the_pdf() {
        let paper = form();
        holds_all(&paper, &text("表.pdf", &paper.pdf().unwrap()));
    }

    #[test]
    fn a_long_form_goes_on_over_pages_and_loses_nothing() {
        let mut paper = form();
        let mut rows = Vec::new();
        for n in 0..120 {
            rows.push((
                format!("第{n}项内容"),
                vec![format!("值{n}号：{}", "甲".repeat(n))],
            ));
        }
        rows.push((
            "很长".to_owned(),
            (0..150).map(|n| format!("行{n}终")).collect(),
        ));
        paper.sections.push(PaperSection {
            title: "很多".to_owned(),
            rows,
        });
        let bytes = paper.pdf().unwrap();
        let read = text("表.pdf", &bytes);
        for n in [0, 60, 119] {
            assert!(read.contains(&format!("值{n}号：")), "{n}");
        }
        assert_eq!(read.matches('甲').count(), (0..120).sum::<usize>() + 1);
        for n in [0, 77, 149] {
            assert!(read.contains(&format!("行{n}终")), "{n}");
        }
        let pdf = lopdf::Document::load_mem(&bytes).unwrap();
        assert!(pdf.get_pages().len() > 4);
    }

    #[test]
    fn the_same_form_is_written_the_same() {
        assert_eq!(form().pdf().unwrap(), form().pdf().unwrap());
        assert_eq!(form().docx().unwrap(), form().docx().unwrap());
    }
}
