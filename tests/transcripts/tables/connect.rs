//! CONNECT: what it changes, what it refuses, and what holds without it.

use crate::case::{C, Case, HELLO, S, Why, case, closed, hello, info};

pub(crate) const ROWS: &[Case] = &[
    case(
        "verbose_and_pedantic_hold_until_connect_says_otherwise",
        &[
            C("SUB a 1\r\n"),
            S("+OK\r\n"),
            C("CONNECT {\"verbose\":false,\"pedantic\":false}\r\n"),
            C("SUB b 2\r\nPUB b 2\r\nhi\r\n"),
            S("MSG b 2 2\r\nhi\r\n"),
        ],
    ),
    case(
        "verbose_acknowledges_each_line_and_not_ping",
        &[
            C("CONNECT {\"verbose\":true,\"pedantic\":false,\"headers\":true}\r\n"),
            S("+OK\r\n"),
            C("SUB foo 1\r\n"),
            S("+OK\r\n"),
            C("PUB foo 2\r\nhi\r\n"),
            S("+OK\r\nMSG foo 1 2\r\nhi\r\n"),
            C("UNSUB 1\r\n"),
            S("+OK\r\n"),
            C("PING\r\n"),
            S("PONG\r\n"),
            C("HPUB foo 12 12\r\nNATS/1.0\r\n\r\n\r\n"),
            S("+OK\r\n"),
        ],
    ),
    case(
        "without_connect_publish_and_subscribe_work_verbosely",
        &[
            C("PING\r\n"),
            S("PONG\r\n"),
            C("SUB foo 1\r\n"),
            S("+OK\r\n"),
            C("PUB foo 3\r\nabc\r\n"),
            S("+OK\r\nMSG foo 1 3\r\nabc\r\n"),
        ],
    ),
    case(
        "a_second_connect_drops_subscriptions_and_changes_options",
        &[
            HELLO,
            C("SUB foo 1\r\n"),
            C("CONNECT {\"verbose\":true,\"pedantic\":false}\r\n"),
            S("+OK\r\n"),
            C("PUB foo 1\r\nx\r\n"),
            S("+OK\r\n"),
            C("SUB foo 2\r\n"),
            S("+OK\r\n"),
            C("PUB foo 1\r\ny\r\n"),
            S("+OK\r\nMSG foo 2 1\r\ny\r\n"),
        ],
    ),
    case("null_values_leave_the_defaults", &[C("CONNECT {\"verbose\":null,\"name\":null}\r\n"), S("+OK\r\n")]),
    case("field_names_match_in_any_case", &[C("CONNECT {\"Verbose\":false}\r\nPING\r\n"), S("PONG\r\n")]),
    case(
        "of_equal_keys_the_last_counts",
        &[C("CONNECT {\"verbose\":true,\"verbose\":false}\r\nPING\r\n"), S("PONG\r\n")],
    ),
    case("the_verb_is_read_in_any_case", &[C("connect {\"verbose\":false}\r\npInG\r\n"), S("PONG\r\n")]),
    case("connect_may_end_with_a_bare_line_feed", &[C("CONNECT {\"verbose\":false}\nPING\n"), S("PONG\r\n")]),
    case(
        "protocol_one_gets_a_second_info",
        &[C("CONNECT {\"verbose\":false,\"protocol\":1}\r\nPING\r\n"), S("PONG\r\n"), info("\"connect_info\":true")],
    ),
    case(
        "the_last_connect_decides_whether_info_follows_the_first_pong",
        &[
            C("CONNECT {\"verbose\":false}\r\nCONNECT {\"verbose\":false,\"protocol\":1}\r\nPING\r\nPING\r\n"),
            S("PONG\r\n"),
            info("\"connect_info\":true"),
            S("PONG\r\n"),
        ],
    ),
    case(
        "info_follows_no_later_pong",
        &[
            C("CONNECT {\"verbose\":false}\r\nPING\r\n"),
            S("PONG\r\n"),
            C("CONNECT {\"verbose\":false,\"protocol\":1}\r\nPING\r\nPING\r\n"),
            S("PONG\r\nPONG\r\n"),
        ],
    ),
    case(
        "protocol_zero_gets_no_second_info",
        &[C("CONNECT {\"verbose\":false,\"protocol\":0}\r\nPING\r\n"), S("PONG\r\n")],
    ),
    case(
        "protocol_two_is_refused",
        &[
            C("CONNECT {\"verbose\":false,\"protocol\":2}\r\n"),
            S("-ERR 'invalid client protocol'\r\n"),
            closed(Why::BadProtocolVersion),
        ],
    ),
    case(
        "no_responders_needs_headers",
        &[
            C("CONNECT {\"verbose\":false,\"headers\":false,\"no_responders\":true}\r\n"),
            S("-ERR 'no responders requires headers support'\r\n"),
            closed(Why::NoRespondersWithoutHeaders),
        ],
    ),
    case("an_array_is_no_connect", &[C("CONNECT [1,2]\r\n"), closed(Why::ProtocolViolation)]),
    case("a_wrong_type_closes", &[C("CONNECT {\"verbose\":\"yes\"}\r\n"), closed(Why::ProtocolViolation)]),
    case(
        "text_behind_the_object_closes",
        &[C("CONNECT {\"verbose\":false} trailing\r\n"), closed(Why::ProtocolViolation)],
    ),
    case(
        "echo_off_keeps_own_messages_away",
        &[
            hello(",\"echo\":false"),
            HELLO.by('B'),
            C("SUB a.b 1\r\nSUB > 2\r\nSUB a.b q 3\r\nPING\r\n"),
            S("PONG\r\n"),
            C("SUB a.* 7\r\nPING\r\n").by('B'),
            S("PONG\r\n").by('B'),
            C("PUB a.b 1\r\nx\r\nPING\r\n"),
            S("PONG\r\n"),
            S("MSG a.b 7 1\r\nx\r\n").by('B'),
            C("PUB a.b 1\r\ny\r\n").by('B'),
            S("MSG a.b 7 1\r\ny\r\n").by('B'),
            crate::case::all(&["MSG a.b 1 1\r\ny\r\n", "MSG a.b 2 1\r\ny\r\n", "MSG a.b 3 1\r\ny\r\n"]),
        ],
    ),
    case(
        "pedantic_names_a_wildcard_in_a_publish_and_delivers",
        &[
            hello(",\"pedantic\":true"),
            HELLO.by('B'),
            C("SUB > 1\r\nPING\r\n").by('B'),
            S("PONG\r\n").by('B'),
            C("PUB foo.* 1\r\nx\r\n"),
            S("-ERR 'Invalid Publish Subject'\r\n"),
            S("MSG foo.* 1 1\r\nx\r\n").by('B'),
        ],
    )
    .peer_when_cut("tells of the wildcard twice"),
    case(
        "connect_account_is_refused",
        &[
            C("CONNECT {\"verbose\":false,\"account\":\"FOO\"}\r\n"),
            S("-ERR 'Authorization Violation'\r\n"),
            closed(Why::AuthenticationFailure),
        ],
    ),
    case(
        "what_became_of_connect_is_told_after_the_first_pong_whatever_comes_between",
        &[
            C("CONNECT {\"verbose\":false,\"protocol\":1}\r\nCONNECT {\"verbose\":false}\r\nPING\r\n"),
            S("PONG\r\n"),
            info("\"connect_info\":true"),
        ],
    ),
];
