"""Words for documents and diagrams, and lines of them. Only letters that Pillow's bundled font has."""

from __future__ import annotations

from typing import Final

from tools.demo_model.album.rng import Rng

CHARACTER = 0.5
"""Mean width of a letter by the height of its line, for that font."""

PLAIN: Final = (
    "the", "a", "of", "to", "and", "in", "we", "our", "your", "is", "are", "will", "this", "that", "with", "from",
    "for", "on", "at", "by", "as", "be", "have", "has", "can", "not", "more", "last", "next", "year", "week",
    "month", "time", "place", "work", "letter", "order", "people", "house", "garden", "city", "river", "morning",
    "evening", "family", "friend", "price", "paper", "plan", "report", "meeting", "question", "answer", "number",
    "result", "change", "reason", "second", "small", "large", "early", "late", "good", "better", "open", "close",
    "send", "write", "read", "please", "thank", "hope", "wish", "visit", "travel", "begin", "finish", "remember",
    "believe", "receive", "offer", "include", "follow",
)  # fmt: skip
NAMES: Final = ("Anna", "Boris", "Chen Li", "Dora", "Emil", "Fatima", "Goran", "Hana", "Ivan", "Julia", "Karim", "Lena")
TITLES: Final = (
    "ANNUAL REPORT", "Invitation", "GOOD NEWS", "Application", "NOTICE", "Summer Market", "CITY LIBRARY", "Travel Club",
    "Green Garden", "WELCOME", "Order No. 27", "Members' Day",
)  # fmt: skip
GOODS: Final = (
    "Bread", "Milk", "Apples", "Coffee", "Tea", "Rice", "Soap", "Cheese", "Eggs", "Juice", "Honey", "Salt", "Pasta",
    "Cake",
)  # fmt: skip
FIELDS: Final = ("Name", "Address", "City", "Country", "Phone", "E-mail", "Born on", "Date", "Number", "Work", "School")
HEADINGS: Final = (
    "Sales by region", "Visitors per year", "Our process", "Energy use", "Results 2024", "Rain and sun", "How we work",
    "Market share", "Budget", "Growth", "Team survey", "Time to answer",
)  # fmt: skip
SERIES: Final = (
    "North", "South", "East", "West", "Plan", "Actual", "Type A", "Type B", "Old", "New", "Red team", "Web",
)  # fmt: skip
STEPS: Final = (
    "Start", "Read", "Check", "Ask", "Sort", "Build", "Test", "Send", "Pay", "Store", "Call", "Done", "OK?", "New?",
)  # fmt: skip
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def line_of_words(rng: Rng, width: float, height: float) -> str:
    """Words that fill about `width` at this line height. Letters are counted, not measured, so that a drawing has the
    same words at every size."""
    room, words = int(width / (height * CHARACTER)), ""
    while True:
        word = rng.pick(PLAIN)
        if len(words) + len(word) + 1 > room:
            return words.capitalize()
        words = f"{words} {word}" if words else word


def price(rng: Rng) -> str:
    return f"{rng.count(1, 48)}.{rng.count(0, 99):02d}"


def date(rng: Rng) -> str:
    return f"{rng.count(1, 28)} {rng.pick(MONTHS)} 20{rng.count(10, 26)}"
