"""Makes the spreadsheets of this folder.

faq.xlsx     questions and answers, as openpyxl writes them, with a hidden sheet
items.xlsx   a list of service items on two sheets
table.xlsx   merged heads, formulas, dates and percent, saved by LibreOffice, which stores the results

Needs: pip install openpyxl; LibreOffice.
"""
import datetime
import subprocess

from openpyxl import Workbook

FAQ = [
    ("序号", "分类", "问题", "相似问", "答案", "依据", "责任部门"),
    (1, "公积金", "公积金贷款最高可以贷多少？", "公积金最多贷多少；贷款上限", "单缴存职工最高60万元，双缴存职工最高80万元。\n首次购买的，可以再上浮：\n1.多子女家庭\n2.高层次人才", "《启明市住房公积金贷款办法》第八条", "市住房公积金中心"),
    (2, "公积金", "离职以后公积金怎么办？", None, "账户封存，满半年可以申请提取。\n3.到窗口办理", None, "市住房公积金中心"),
    (3, "医保", "异地就医怎样备案", "外地看病", "在“启明办事”上备案，即时生效。", None, None),
]
wb = Workbook()
for row in FAQ:
    wb.active.append(row)
hidden = wb.create_sheet("草稿")
hidden.append(("问题", "答案"))
hidden.append(("没有定稿的问题？", "没有定稿的答案。"))
hidden.sheet_state = "hidden"
wb.save("faq.xlsx")

HEAD = ("序号", "事项名称", "受理条件", "申请材料", "办理流程", "承诺时限", "收费标准", "办理地点", "咨询电话")
wb = Workbook()
wb.active.title = "民政"
wb.active.append(("启明市政务服务事项办事指南（2025年版）",))
wb.active.merge_cells("A1:I1")
wb.active.append(HEAD)
wb.active.append((1, "高龄津贴申领", "（一）具有本市户籍；\n（二）年满80周岁。", "身份证、户口簿", "1.提出申请\n2.街道审核\n3.发放", "5个工作日", "不收费", "街道便民服务中心", "12345"))
wb.active.append((2, "特困人员认定", "无劳动能力、无生活来源。", None, "1.申请\n2.核对\n3.公示", 20, "不收费", "街道便民服务中心", "0571-12345678"))
other = wb.create_sheet("人社")
other.append(HEAD)
other.append((1, "失业保险金申领", "缴费满一年，非因本人意愿中断就业。", "身份证", "网上申请", "10个工作日", "不收费", "人社窗口", 12333))
wb.save("items.xlsx")

wb = Workbook()
ws = wb.active
ws.title = "缴费标准"
ws.append(("2025年度社会保险缴费标准",))
ws.merge_cells("A1:F1")
ws.append(("险种", "缴费比例", None, "月缴费额（元）", "执行日期", "备注"))
ws.append((None, "单位", "个人", None, None, None))
ws.merge_cells("A2:A3")
ws.merge_cells("B2:C2")
ws.merge_cells("D2:D3")
ws.merge_cells("E2:E3")
ws.merge_cells("F2:F3")
day = datetime.date(2025, 7, 1)
for at, (kind, unit, own, base, note) in enumerate([("养老保险", 0.16, 0.08, 4812, "按月缴纳"), ("医疗保险", 0.085, 0.02, 4812, None), ("失业保险", 0.005, 0.005, 4812, None)]):
    row = 4 + at
    ws.append((kind, unit, own, f"=ROUND({base}*(B{row}+C{row}),2)", day, note))
    for c in "BC":
        ws[f"{c}{row}"].number_format = "0.0%"
    ws[f"D{row}"].number_format = "#,##0.00"
    ws[f"E{row}"].number_format = 'yyyy"年"m"月"d"日"'
ws.merge_cells("F4:F6")
ws["H4"] = None
ws["A8"] = "合计"
ws["D8"] = "=SUM(D4:D6)"
ws["D8"].number_format = "#,##0.00"
ws["F8"] = "=1/0"
wb.save("table.xlsx")
subprocess.run(["soffice", "--headless", "--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", "out", "table.xlsx"], check=True)
subprocess.run(["sh", "-c", "mv out/table.xlsx table.xlsx && rmdir out"], check=True)
