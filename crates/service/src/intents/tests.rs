//! Tables of messages and what they want.

use super::*;

fn recogniser() -> Recogniser {
    let names: Vec<&str> = cues::lines(SAYINGS)
        .filter_map(|line| line.split('\t').next())
        .filter(|name| !name.starts_with('!'))
        .collect();
    let items: Vec<ItemWords> = names
        .iter()
        .map(|name| ItemWords {
            id: (*name).to_owned(),
            name: (*name).to_owned(),
            ..ItemWords::default()
        })
        .collect();
    Recogniser::new(&items)
}

#[test]
fn everyday_messages_are_understood() {
    let recogniser = recogniser();
    for (message, item) in [
        ("我跟房东签了合同，公积金能提吗", "住房公积金租房提取"),
        (
            "要买婚房，公积金里的钱能取出来当首付不",
            "住房公积金购房提取",
        ),
        ("公司把我辞了，每个月能领多少救济", "失业保险金申领"),
        ("工地上砸了脚，老板说不算工伤", "工伤认定申请"),
        ("生完娃请产假，工资谁给", "生育津贴申领"),
        ("带娃去外地姥姥家看病怎么报", "异地就医备案"),
        ("开个面馆要啥手续", "食品经营许可证核发"),
        ("我想当个体户", "个体工商户设立登记"),
        ("跑外卖自己交养老", "灵活就业人员参加企业职工基本养老保险"),
        ("gongjijin zufang zenme ti", "住房公积金租房提取"),
        ("社宝卡丢了咋个办", "社会保障卡申领与补领"),
        ("公鸡金能拿来交房租不", "住房公积金租房提取"),
    ] {
        let reading = recogniser.recognise(message);
        assert_eq!(
            reading.intent,
            Intent::Item,
            "{message}: {:?}",
            reading.items
        );
        assert_eq!(
            reading.items[0].name, item,
            "{message}: {:?}",
            reading.items
        );
    }
}

#[test]
fn what_is_no_item_is_told_apart() {
    let recogniser = recogniser();
    for (message, intent) in [
        ("今天股市怎么样", Intent::OutOfScope),
        ("帮我写情书", Intent::OutOfScope),
        ("哪家医院看牙好", Intent::OutOfScope),
        ("明天会下雨吗", Intent::OutOfScope),
        ("你好", Intent::SmallTalk),
        ("谢谢", Intent::SmallTalk),
        ("楼下烧烤油烟太大，我要投诉", Intent::Complaint),
        ("我的申请办到哪一步了", Intent::CaseStatus),
        ("身份证丢了怎么补", Intent::General),
    ] {
        let reading = recogniser.recognise(message);
        assert_eq!(reading.intent, intent, "{message}: {:?}", reading.items);
    }
}

#[test]
fn probabilities_are_shares_and_a_vague_message_is_close() {
    let recogniser = recogniser();
    let reading = recogniser.recognise("公积金怎么提取");
    let sum: f32 = reading.items.iter().map(|item| item.probability).sum();
    assert!(sum > 0.0 && sum <= 1.001);
    let first = |reading: &Reading| reading.items[0].probability;
    assert!(first(&reading) < 0.65, "{:?}", reading.items);
    let clear = recogniser.recognise("租房提取公积金怎么办");
    assert!(!clear.close && first(&clear) > 0.9, "{:?}", clear.items);
}

#[test]
fn any_text_can_be_read() {
    let recogniser = recogniser();
    for message in [
        "",
        "？",
        "a",
        "🙂🙂",
        "  ",
        "'''",
        "ｘｙｚ　１２３",
        "zhuang",
    ] {
        let _ = recogniser.recognise(message);
    }
}

#[test]
fn without_items_nothing_is_recognised() {
    let reading = Recogniser::new(&[]).recognise("公积金怎么提");
    assert!(reading.items.is_empty());
    assert_ne!(reading.intent, Intent::Item);
}
