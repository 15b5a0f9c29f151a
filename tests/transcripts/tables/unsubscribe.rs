//! UNSUB: at once, after a maximum, and what clients call a drain.

use crate::case::{C, Case, HELLO, S, case};

pub(crate) const ROWS: &[Case] = &[
    case("unsub_ends_delivery", &[HELLO, C("SUB foo 1\r\nUNSUB 1\r\nPUB foo 1\r\nx\r\nPING\r\n"), S("PONG\r\n")]),
    case("an_unknown_sid_is_ignored", &[HELLO, C("UNSUB 77\r\nUNSUB 77 5\r\nPING\r\n"), S("PONG\r\n")]),
    case(
        "the_sid_is_free_again_after_unsub",
        &[
            HELLO,
            C("SUB foo 1\r\nUNSUB 1\r\nSUB bar 1\r\nPUB foo 1\r\nx\r\nPUB bar 1\r\ny\r\n"),
            S("MSG bar 1 1\r\ny\r\n"),
        ],
    ),
    case(
        "a_maximum_ends_the_subscription_after_so_many",
        &[
            HELLO,
            C("SUB foo 1\r\nUNSUB 1 2\r\nPUB foo 1\r\na\r\nPUB foo 1\r\nb\r\nPUB foo 1\r\nc\r\nPING\r\n"),
            S("MSG foo 1 1\r\na\r\nMSG foo 1 1\r\nb\r\nPONG\r\n"),
        ],
    ),
    case(
        "a_maximum_counts_what_was_delivered_before_it",
        &[
            HELLO,
            C("SUB foo 1\r\nPUB foo 1\r\na\r\nUNSUB 1 2\r\nPUB foo 1\r\nb\r\nPUB foo 1\r\nc\r\nPING\r\n"),
            S("MSG foo 1 1\r\na\r\nMSG foo 1 1\r\nb\r\nPONG\r\n"),
        ],
    ),
    case(
        "a_maximum_already_reached_ends_it_at_once",
        &[
            HELLO,
            C("SUB foo 1\r\nPUB foo 1\r\na\r\nPUB foo 1\r\nb\r\nUNSUB 1 1\r\nPUB foo 1\r\nc\r\nPING\r\n"),
            S("MSG foo 1 1\r\na\r\nMSG foo 1 1\r\nb\r\nPONG\r\n"),
        ],
    ),
    case(
        "each_sid_has_a_maximum_of_its_own",
        &[
            HELLO,
            C("SUB foo 1\r\nUNSUB 1 1\r\nPUB foo 1\r\na\r\nSUB foo 2\r\nPUB foo 1\r\nb\r\nPING\r\n"),
            S("MSG foo 1 1\r\na\r\nMSG foo 2 1\r\nb\r\nPONG\r\n"),
        ],
    ),
    case(
        "a_maximum_counts_over_the_subjects_of_a_wildcard",
        &[
            HELLO,
            C("SUB foo.* 1\r\nUNSUB 1 2\r\nPUB foo.a 1\r\na\r\nPUB foo.b 1\r\nb\r\nPUB foo.c 1\r\nc\r\nPING\r\n"),
            S("MSG foo.a 1 1\r\na\r\nMSG foo.b 1 1\r\nb\r\nPONG\r\n"),
        ],
    ),
    case(
        "a_maximum_holds_for_messages_of_another_connection",
        &[
            HELLO,
            HELLO.by('B'),
            C("SUB foo 1\r\nUNSUB 1 2\r\nPING\r\n"),
            S("PONG\r\n"),
            C("PUB foo 1\r\na\r\nPUB foo 1\r\nb\r\nPUB foo 1\r\nc\r\nPING\r\n").by('B'),
            S("PONG\r\n").by('B'),
            S("MSG foo 1 1\r\na\r\nMSG foo 1 1\r\nb\r\n"),
        ],
    ),
    case(
        "a_drain_gets_what_was_published_before_it",
        &[
            HELLO,
            HELLO.by('B'),
            C("SUB foo 1\r\nPING\r\n"),
            S("PONG\r\n"),
            C("PUB foo 1\r\na\r\nPUB foo 1\r\nb\r\nPING\r\n").by('B'),
            S("PONG\r\n").by('B'),
            C("UNSUB 1\r\nPING\r\n"),
            S("MSG foo 1 1\r\na\r\nMSG foo 1 1\r\nb\r\nPONG\r\n"),
            C("PUB foo 1\r\nc\r\nPING\r\n").by('B'),
            S("PONG\r\n").by('B'),
        ],
    ),
];
