"""`junit.xml`: a test case for each verdict, for a CI that shows such files."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from onelook.lab.experiment.report.model import Report
from onelook.lab.statistics.verdict import Verdict


def junit(report: Report) -> bytes:
    """One case an arm for the primary metric and one for the latency; *worse* is a failure, *not known yet* skipped."""
    suite = ET.Element("testsuite", name=f"onelook experiment {report.design[:12]}")
    cases = [(each.arm, report.primary, each.primary, each.sentence["en"]) for each in report.verdicts]
    if report.primary != "latency":
        cases += [
            (each.arm, "latency", each.latency, each.sentence["en"])
            for each in report.verdicts
            if each.latency is not None
        ]
    for arm, metric, verdict, sentence in cases:
        case = ET.SubElement(suite, "testcase", classname=f"{report.baseline}.{metric}", name=f"{arm} is not worse")
        if verdict == Verdict.WORSE:
            ET.SubElement(case, "failure", message=sentence).text = sentence
        elif verdict == Verdict.NOT_KNOWN:
            ET.SubElement(case, "skipped", message=sentence)
        ET.SubElement(case, "system-out").text = sentence
    suite.set("tests", str(len(cases)))
    suite.set("failures", str(sum(verdict == Verdict.WORSE for _, _, verdict, _ in cases)))
    suite.set("errors", "0")
    suite.set("skipped", str(sum(verdict == Verdict.NOT_KNOWN for _, _, verdict, _ in cases)))
    ET.indent(suite)
    text: bytes = ET.tostring(suite, encoding="utf-8", xml_declaration=True)
    return text + b"\n"
