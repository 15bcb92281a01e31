"""Makes the PDF files of this folder. Each stands for a kind of program that writes PDFs:

notice.pdf    a word processor (LibreOffice): running head, page numbers, a table over ruled cells, CFF fonts with ToUnicode
columns.pdf   a typesetter (Typst): two columns under one title, a table over two pages with its head repeated
ucs2.pdf      a report generator (ReportLab): a font that is not embedded, codes in UniGB-UCS2-H
gbk.pdf       the same with codes in GBK-EUC-H
locked.pdf    ucs2.pdf with a password to open it (AES-256)
guarded.pdf   ucs2.pdf with a password for changes only (RC4)

Needs: pip install python-docx reportlab typst; LibreOffice; qpdf; the fonts Noto Serif CJK SC.
"""
import os
import subprocess

import typst
from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import CIDFont
from reportlab.pdfgen import canvas

FONT = "Noto Serif CJK SC"


def run(p, text, size=16, bold=False):
    r = p.add_run(text)
    r.font.size, r.font.name, r.bold = Pt(size), FONT, bold
    r._element.rPr.rFonts.set(qn("w:eastAsia"), FONT)
    return r


def page_field(p):
    for kind, text in (("begin", None), (None, "PAGE"), ("end", None)):
        r = p.add_run()
        if kind is None:
            e = OxmlElement("w:instrText")
            e.text = text
        else:
            e = OxmlElement("w:fldChar")
            e.set(qn("w:fldCharType"), kind)
        r._element.append(e)


def para(d, text, size=16, indent=True, align=WD_ALIGN_PARAGRAPH.JUSTIFY, bold=False):
    p = d.add_paragraph()
    run(p, text, size, bold)
    f = p.paragraph_format
    f.line_spacing, f.space_after, p.alignment = Pt(28), Pt(0), align
    if indent:
        f.first_line_indent = Pt(size * 2)


def notice():
    d, centre, right = Document(), WD_ALIGN_PARAGRAPH.CENTER, WD_ALIGN_PARAGRAPH.RIGHT
    s = d.sections[0]
    s.page_width, s.page_height = Cm(21), Cm(29.7)
    s.top_margin, s.bottom_margin, s.left_margin, s.right_margin = Cm(3.7), Cm(3.5), Cm(2.8), Cm(2.6)
    run(s.header.paragraphs[0], "启明市人民政府公报　2024年第7期", 10.5)
    foot = s.footer.paragraphs[0]
    foot.alignment = centre
    run(foot, "— ", 14)
    page_field(foot)
    run(foot, " —", 14)
    para(d, "启明市医疗保障局文件", 26, False, centre, True)
    para(d, "启医保规〔2024〕5号", 16, False, centre)
    para(d, "启明市医疗保障局关于印发《启明市城乡居民基本医疗保险门诊统筹管理办法》的通知", 22, False, centre, True)
    para(d, "各区医疗保障局，各定点医疗机构：", indent=False)
    para(d, "《启明市城乡居民基本医疗保险门诊统筹管理办法》已经市政府同意，现印发给你们，请认真贯彻执行。执行中遇到的问题，请及时报告市医疗保障局。")
    para(d, "启明市医疗保障局", 16, False, right)
    para(d, "2024年3月5日", 16, False, right)
    para(d, "启明市城乡居民基本医疗保险门诊统筹管理办法", 22, False, centre, True)
    para(d, "第一章　总则", 18, False, centre, True)
    para(d, "第一条　为了进一步完善城乡居民基本医疗保险制度，减轻参保居民门诊医疗费用负担，根据《中华人民共和国社会保险法》和《启明市基本医疗保险条例》，结合本市实际，制定本办法。")
    para(d, "第二条　本办法所称门诊统筹，是指参加城乡居民基本医疗保险的人员在定点医疗机构发生的普通门诊医疗费用，由城乡居民基本医疗保险基金按照规定予以支付的制度。")
    para(d, "参保居民在一个年度内发生的普通门诊医疗费用，超过起付标准的部分，由基金按照本办法规定的比例支付。")
    para(d, "第二章　待遇标准", 18, False, centre, True)
    para(d, "第三条　门诊统筹待遇按照医疗机构等级确定，具体标准见下表：")
    rows = [("医疗机构等级", "起付标准（元）", "支付比例", "年度限额（元）"), ("一级及以下", "50", "70%", "600"), ("二级", "100", "60%", "600"), ("三级", "200", "50%", "")]
    t = d.add_table(rows=len(rows), cols=4)
    t.style = "Table Grid"
    t.cell(2, 3).merge(t.cell(3, 3))
    for r, row in enumerate(rows):
        for c, text in enumerate(row):
            if text:
                run(t.cell(r, c).paragraphs[0], text, 14)
    para(d, "第四条　参保居民有下列情形之一的，其门诊医疗费用不纳入基金支付范围：")
    for text in ["（一）应当从工伤保险基金中支付的；", "（二）应当由第三人负担的；", "（三）在境外就医的。"]:
        para(d, text)
    para(d, "医疗费用依法应当由第三人负担，第三人不支付或者无法确定第三人的，由基金先行支付，先行支付后有权向第三人追偿。")
    para(d, "第三章　附则", 18, False, centre, True)
    para(d, "第五条　各区可以结合实际制定具体的实施细则，报市医疗保障局备案后执行，咨询电话12345，网址www.example.gov.cn，邮箱yibao@example.gov.cn。")
    para(d, "第六条　本办法自2024年4月1日起施行，有效期五年。《启明市居民门诊统筹暂行办法》（启医保发〔2019〕12号）同时废止。")
    d.save("notice.docx")
    subprocess.run(["soffice", "--headless", "--convert-to", "pdf", "notice.docx"], check=True)
    os.remove("notice.docx")


def columns():
    rows = "".join(f"[材料{n}],[原件{n}份]," for n in range(1, 40))
    open("columns.typ", "w").write(
        f"""#set page(paper: "a5", margin: 1.6cm, numbering: "1 / 1", header: [启明市住房公积金管理中心])
#set text(font: "{FONT}", lang: "zh", size: 10pt)
#set par(first-line-indent: (amount: 2em, all: true), justify: true)
#align(center, text(16pt)[启明市住房公积金提取指南])
#block(height: 5.6cm, columns(2)[
= 一、受理条件
（一）购买、建造、翻建、大修自住住房的；

（二）离休、退休的；

（三）完全丧失劳动能力，并与单位终止劳动关系的。
= 二、办理流程
申请人通过“启明办事”平台或者到任一住房公积金服务网点提出申请，工作人员在三个工作日内作出准予提取或者不准提取的决定，并通知申请人。
= 三、咨询电话
住房公积金服务热线为12329，工作日上午九点至下午五点有人接听，其他时间可以留言，语音和文字都行，工作人员会在下一个工作日回复。
])
#pagebreak()
材料清单如下：
#table(columns: 2, table.header([材料], [要求]), {rows})
"""
    )
    typst.compile("columns.typ", output="columns.pdf")
    os.remove("columns.typ")


def report(file, encoding, encode):
    font = CIDFont("STSong-Light", encoding)
    pdfmetrics.registerFont(font)
    c, y = canvas.Canvas(file, invariant=1), 780
    lines = ["启明市新生儿落户须知", "第一条　新生儿应当在出生后一个月内，由父亲、母亲或者其他监护人向户口所在地", "公安派出所申报出生登记。", "第二条　申报时应当提供《出生医学证明》、ABC 2024 表格。", "- 1 -"]
    for text in lines:
        c.setFont(font.fontName, 20 if y == 780 else 12)
        c.drawString(96 if text.startswith("第") else 72, 40 if text == "- 1 -" else y, encode(text))
        y -= 20
    c.save()


notice()
columns()
report("ucs2.pdf", "UniGB-UCS2-H", lambda text: text.encode("utf-16-be").decode("latin1"))
report("gbk.pdf", "GBK-EUC-H", lambda text: text.encode("gbk").decode("latin1"))
subprocess.run(["qpdf", "--encrypt", "secret", "owner", "256", "--", "ucs2.pdf", "locked.pdf"], check=True)
subprocess.run(["qpdf", "--allow-weak-crypto", "--encrypt", "", "owner", "128", "--use-aes=n", "--", "ucs2.pdf", "guarded.pdf"], check=True)
