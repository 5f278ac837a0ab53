"""English words by which it is told what a slip is about."""

from typing import Final


def _listed(some: str) -> frozenset[str]:
    return frozenset(some.split())


ARTICLES: Final = _listed("a an the")
PREPOSITIONS: Final = _listed(
    "about after against at before behind by during for from in into of off on onto over since till to towards under "
    "until up with without"
)
PRONOUNS: Final = _listed(
    "i me my mine myself you your yours yourself he him his himself she her hers herself it its itself we us our ours "
    "ourselves they them their theirs themselves who whom whose which this these that those"
)
NEGATIONS: Final = _listed("no not nothing nobody nowhere anything anybody anyone anywhere never either neither too")
COMPARING: Final = _listed("more most less least than then better best worse worst")
#: Forms that differ by who does it, and by nothing else.
SAME_TENSE: Final = tuple(
    _listed(forms)
    for forms in (
        "am is are i'm", "was were", "do does", "have has", "don't doesn't", "haven't hasn't", "isn't aren't",
        "wasn't weren't",
    )
)  # fmt: skip
BE: Final = _listed("am is are was were be been being")
DO: Final = _listed("do does did")
OF_TENSE: Final = _listed("have has had been will would")
#: After these comes "to" and a verb.
BEFORE_TO: Final = _listed("want wants wanted need needs needed plan plans hope hopes decide decided like")
#: After these a verb stays as it is.
BEFORE_BASE: Final = _listed(
    "to can can't could couldn't must should shouldn't will won't would wouldn't may might do don't does doesn't did "
    "didn't let"
)
#: Words that hold others together and mean little alone.
LITTLE: Final = ARTICLES | PREPOSITIONS | PRONOUNS | BE | DO | OF_TENSE | BEFORE_BASE | _listed("and but or if not")
SUBJECTS_OF_S: Final = _listed("he she it")
SUBJECTS: Final = _listed("i you we they")
SEVERAL: Final = _listed(
    "two three four five six seven eight nine ten many several few these those some all much other"
)
IRREGULAR_PLURALS: Final = _listed(
    "children childs people peoples persons men mans women womans feet foots teeth tooths mice mouses"
)
UNCOUNTED: Final = _listed(
    "information advice furniture homework luggage baggage equipment knowledge news software feedback money work "
    "research traffic"
)
#: Base, past and participle.
IRREGULAR: Final = tuple(
    tuple(forms.split("/"))
    for forms in (
        "be/was/been", "become/became/become", "begin/began/begun", "break/broke/broken", "bring/brought/brought",
        "build/built/built", "buy/bought/bought", "catch/caught/caught", "choose/chose/chosen", "come/came/come",
        "do/did/done", "drink/drank/drunk", "drive/drove/driven", "eat/ate/eaten", "fall/fell/fallen",
        "feel/felt/felt", "find/found/found", "fly/flew/flown", "forget/forgot/forgotten", "get/got/got",
        "give/gave/given", "go/went/gone", "grow/grew/grown", "have/had/had", "hear/heard/heard", "keep/kept/kept",
        "know/knew/known", "learn/learnt/learnt", "leave/left/left", "lose/lost/lost", "make/made/made",
        "meet/met/met", "pay/paid/paid", "read/read/read", "ride/rode/ridden", "run/ran/run", "say/said/said",
        "see/saw/seen", "sell/sold/sold", "send/sent/sent", "sing/sang/sung", "sit/sat/sat", "sleep/slept/slept",
        "speak/spoke/spoken", "spend/spent/spent", "stand/stood/stood", "swim/swam/swum", "take/took/taken",
        "teach/taught/taught", "tell/told/told", "think/thought/thought", "understand/understood/understood",
        "wake/woke/woken", "wear/wore/worn", "win/won/won", "write/wrote/written",
    )
)  # fmt: skip
BASE_OF_PAST: Final = {past: base for base, past, _ in IRREGULAR}
BASE_OF_PARTICIPLE: Final = {participle: base for base, _, participle in IRREGULAR}
IRREGULAR_BASES: Final = frozenset(base for base, _, _ in IRREGULAR)
