"""The site's own words, in both languages."""

from __future__ import annotations

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "answer": "Answer",
        "code": "Code of section",
        "exercise": "Exercise",
        "functions": "Functions shown",
        "output": "prints",
        "no_script": "This picture moves with JavaScript, which is off here.",
    },
    "zh": {
        "answer": "答案",
        "code": "代码片段",
        "exercise": "练习",
        "functions": "本文用到的函数",
        "output": "输出",
        "no_script": "这幅互动图需要 JavaScript，而它现在没有开启。",
    },
}
