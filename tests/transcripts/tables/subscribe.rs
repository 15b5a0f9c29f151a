//! SUB: patterns, sids, and who gets what.

use crate::case::{C, Case, HELLO, S, all, case, hello};

pub(crate) const ROWS: &[Case] = &[
    case(
        "a_star_stands_for_one_token",
        &[
            HELLO,
            C("SUB foo.*.baz 1\r\nPUB foo.bar.baz 1\r\na\r\nPUB foo.baz 1\r\nb\r\nPUB foo.a.b.baz 1\r\nc\r\n"),
            S("MSG foo.bar.baz 1 1\r\na\r\n"),
        ],
    ),
    case(
        "the_full_wildcard_stands_for_one_or_more_tokens",
        &[
            HELLO,
            C("SUB foo.> 1\r\nPUB foo 1\r\na\r\nPUB foo.b 1\r\nb\r\nPUB foo.b.c.d 1\r\nc\r\nPUB fo.b 1\r\nd\r\n"),
            S("MSG foo.b 1 1\r\nb\r\nMSG foo.b.c.d 1 1\r\nc\r\n"),
        ],
    ),
    case(
        "overlapping_patterns_each_get_a_copy",
        &[
            HELLO,
            C("SUB a.b 1\r\nSUB a.* 2\r\nSUB > 3\r\nSUB *.b 4\r\nSUB a.c 5\r\nPUB a.b 1\r\nx\r\n"),
            all(&["MSG a.b 1 1\r\nx\r\n", "MSG a.b 2 1\r\nx\r\n", "MSG a.b 3 1\r\nx\r\n", "MSG a.b 4 1\r\nx\r\n"]),
        ],
    ),
    case(
        "a_sid_is_bytes_and_comes_back_as_it_was",
        &[HELLO, C("SUB foo x-0_9.é\r\nPUB foo 1\r\nx\r\n"), S("MSG foo x-0_9.é 1\r\nx\r\n")],
    ),
    case(
        "subjects_tell_cases_apart",
        &[HELLO, C("SUB Foo 1\r\nPUB foo 1\r\nx\r\nPUB Foo 1\r\ny\r\n"), S("MSG Foo 1 1\r\ny\r\n")],
    ),
    case(
        "the_same_sid_and_subject_again_is_no_second_subscription",
        &[HELLO, C("SUB foo 1\r\nSUB foo 1\r\nPUB foo 1\r\nx\r\nPING\r\n"), S("MSG foo 1 1\r\nx\r\nPONG\r\n")],
    ),
    case(
        "a_sid_in_use_keeps_its_first_subject",
        &[
            HELLO,
            C("SUB foo 1\r\nSUB bar 1\r\nPUB bar 1\r\nx\r\nPUB foo 1\r\ny\r\nPING\r\n"),
            S("MSG foo 1 1\r\ny\r\nPONG\r\n"),
        ],
    ),
    case(
        "equal_sids_of_two_connections_are_two",
        &[
            HELLO,
            HELLO.by('B'),
            C("SUB foo 1\r\nPING\r\n"),
            S("PONG\r\n"),
            C("SUB foo 1\r\nUNSUB 1\r\nPUB foo 1\r\nx\r\nPING\r\n").by('B'),
            S("PONG\r\n").by('B'),
            S("MSG foo 1 1\r\nx\r\n"),
        ],
    ),
    case(
        "invalid_patterns_are_refused_and_nobody_is_closed",
        &[
            HELLO,
            C("SUB foo..bar 1\r\n"),
            S("-ERR 'Invalid Subject'\r\n"),
            C("SUB .foo 1\r\n"),
            S("-ERR 'Invalid Subject'\r\n"),
            C("SUB foo. 1\r\n"),
            S("-ERR 'Invalid Subject'\r\n"),
            C("SUB . 1\r\n"),
            S("-ERR 'Invalid Subject'\r\n"),
            C("SUB foo.>.bar 1\r\n"),
            S("-ERR 'Invalid Subject'\r\n"),
            C("SUB foo.bar 1\r\nPUB foo.bar 1\r\nx\r\n"),
            S("MSG foo.bar 1 1\r\nx\r\n"),
        ],
    ),
    case(
        "wildcard_characters_inside_a_token_are_ordinary",
        &[
            HELLO,
            C("SUB foo*.bar 1\r\nSUB foo.b>r 2\r\nSUB foo.** 3\r\nSUB foo.>> 4\r\n"),
            C("PUB foox.bar 1\r\nn\r\nPUB foo.bar 1\r\nn\r\nPUB foo*.bar 1\r\na\r\n"),
            S("MSG foo*.bar 1 1\r\na\r\n"),
            C("PUB foo.b>r 1\r\nb\r\n"),
            S("MSG foo.b>r 2 1\r\nb\r\n"),
            C("PUB foo.** 1\r\nc\r\n"),
            S("MSG foo.** 3 1\r\nc\r\n"),
            C("PUB foo.>> 1\r\nd\r\n"),
            S("MSG foo.>> 4 1\r\nd\r\n"),
        ],
    ),
    case(
        "a_message_reaches_every_connection_that_wants_it",
        &[
            HELLO,
            C("SUB a 1\r\nPING\r\n").by('B'),
            S("+OK\r\nPONG\r\n").by('B'),
            C("SUB * 2\r\nPING\r\n").by('D'),
            S("+OK\r\nPONG\r\n").by('D'),
            C("SUB > 3\r\nPING\r\n").by('E'),
            S("+OK\r\nPONG\r\n").by('E'),
            C("SUB b 4\r\nPING\r\n").by('F'),
            S("+OK\r\nPONG\r\n").by('F'),
            C("PUB a 5\r\nhello\r\nPING\r\n"),
            S("PONG\r\n"),
            S("MSG a 1 5\r\nhello\r\n").by('B'),
            S("MSG a 2 5\r\nhello\r\n").by('D'),
            S("MSG a 3 5\r\nhello\r\n").by('E'),
        ],
    ),
    case(
        "a_deep_subject_is_matched",
        &[
            HELLO,
            C("SUB a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.* 1\r\nPUB a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q 1\r\nx\r\n"),
            S("MSG a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q 1 1\r\nx\r\n"),
        ],
    ),
    case(
        "a_name_that_is_taken_is_kept_even_for_an_invalid_subject",
        &[
            hello(",\"verbose\":true"),
            C("SUB a 1\r\nSUB b..c 1\r\nSUB b..c 2\r\n"),
            S("+OK\r\n+OK\r\n-ERR 'Invalid Subject'\r\n"),
        ],
    ),
];
