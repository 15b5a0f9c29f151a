//! PUB: payloads, replies, sizes, and what is in one write with it.

use crate::case::{C, Case, HELLO, S, case, hello, one_of};

pub(crate) const ROWS: &[Case] = &[
    case("an_empty_payload_is_a_message", &[HELLO, C("SUB foo 1\r\nPUB foo 0\r\n\r\n"), S("MSG foo 1 0\r\n\r\n")]),
    case(
        "a_reply_subject_travels",
        &[HELLO, C("SUB foo 1\r\nPUB foo re.ply 5\r\nhello\r\n"), S("MSG foo 1 re.ply 5\r\nhello\r\n")],
    ),
    case("nobody_listens_and_nothing_comes", &[HELLO, C("PUB nobody 3\r\nabc\r\nPING\r\n"), S("PONG\r\n")]),
    case(
        "payload_bytes_are_opaque",
        &[
            HELLO,
            C("SUB foo 1\r\nPUB foo 17\r\n\0\r\nPUB foo 1\r\nx\r\n\r\n"),
            S("MSG foo 1 17\r\n\0\r\nPUB foo 1\r\nx\r\n\r\n"),
        ],
    ),
    case(
        "leading_zeros_of_a_size_count_for_nothing",
        &[
            HELLO,
            C("SUB foo 1\r\nPUB foo 003\r\nabc\r\n"), // The peer passes the digits on as they came; a number is a number.
            one_of(&["MSG foo 1 003\r\nabc\r\n", "MSG foo 1 3\r\nabc\r\n"]),
        ],
    ),
    case(
        "tabs_and_runs_of_blanks_part_arguments",
        &[HELLO, C("SUB\tfoo \t 1\r\nPUB  foo\t\tre   2\r\nhi\r\n"), S("MSG foo 1 re 2\r\nhi\r\n")],
    ),
    case(
        "a_bare_line_feed_ends_a_control_line",
        &[HELLO, C("SUB foo 1\nPUB foo 3\nabc\r\nPING\n"), S("MSG foo 1 3\r\nabc\r\nPONG\r\n")],
    ),
    case(
        "verbs_are_read_in_any_case",
        &[HELLO, C("sub foo 1\r\npUb foo 1\r\nx\r\nunsub 1\r\n"), S("MSG foo 1 1\r\nx\r\n")],
    ),
    case(
        "what_precedes_a_subscription_is_not_delivered_to_it",
        &[
            HELLO,
            C("PUB x 1\r\n1\r\nSUB x 1\r\nPUB x 1\r\n2\r\nUNSUB 1\r\nPUB x 1\r\n3\r\nPING\r\n"),
            S("MSG x 1 1\r\n2\r\nPONG\r\n"),
        ],
    ),
    case(
        "a_wildcard_subject_is_literal_where_nobody_is_pedantic",
        &[HELLO, C("SUB foo.* 1\r\nSUB foo.bar 2\r\nPUB foo.* 1\r\nx\r\n"), S("MSG foo.* 1 1\r\nx\r\n")],
    ),
    case(
        "pipelined_messages_keep_their_order_over_two_connections",
        &[
            HELLO,
            HELLO.by('B'),
            C("SUB n.* 1\r\nPING\r\n").by('B'),
            S("PONG\r\n").by('B'),
            C("PUB n.1 1\r\na\r\nPUB n.2 1\r\nb\r\nPUB n.3 1\r\nc\r\nPUB n.4 r 0\r\n\r\nPING\r\n"),
            S("PONG\r\n"),
            S("MSG n.1 1 1\r\na\r\nMSG n.2 1 1\r\nb\r\nMSG n.3 1 1\r\nc\r\nMSG n.4 1 r 0\r\n\r\n").by('B'),
        ],
    ),
    case("each_ping_has_its_pong", &[HELLO, C("PING\r\nPING\r\nPING\r\n"), S("PONG\r\nPONG\r\nPONG\r\n")]),
    case("text_behind_ping_is_passed_over", &[HELLO, C("PING hello there\r\nPINGX\r\n"), S("PONG\r\nPONG\r\n")]),
    case("an_unasked_pong_is_ignored", &[HELLO, C("PONG\r\nPONG\r\nPING\r\n"), S("PONG\r\n")]),
    case(
        "a_clients_ok_and_info_are_ignored",
        &[HELLO, C("+OK\r\nINFO {\"server_id\":\"x\"}\r\nPING\r\n"), S("PONG\r\n")],
    ),
    case(
        "a_payload_shorter_than_said_swallows_the_next_line",
        &[HELLO, C("SUB foo 1\r\nPUB foo 8\r\nab\r\nPING\r\n"), S("MSG foo 1 8\r\nab\r\nPING\r\n")],
    ),
    case(
        "subjects_of_the_servers_own_routing_cannot_be_published_to",
        &[
            hello(",\"verbose\":true"),
            C("SUB > 1\r\nPUB _GR_.a 1\r\nx\r\nPUB $GR.a 1\r\nx\r\nPUB $NRG.a _R_.b 1\r\nx\r\nPUB _GR_ 1\r\ny\r\n"),
            S("+OK\r\n-ERR 'Permissions Violation for Publish to \"_GR_.a\"'\r\n"),
            S("-ERR 'Permissions Violation for Publish to \"$GR.a\"'\r\n"),
            S("-ERR 'Permissions Violation for Publish to \"$NRG.a\"'\r\n"),
            S("+OK\r\nMSG _GR_ 1 1\r\ny\r\n"),
        ],
    ),
    case(
        "answers_cannot_be_asked_on_the_servers_own_subjects",
        &[
            HELLO,
            C(
                "SUB > 1\r\nPUB a _R_.b 1\r\nx\r\nPUB a _GR_.b 1\r\nx\r\nPUB a $JS.ACK.b 1\r\nx\r\nPUB a $JS.ACK 1\r\ny\r\n",
            ),
            S("-ERR 'Permissions Violation for Publish with Reply of \"_R_.b\"'\r\n"),
            S("-ERR 'Permissions Violation for Publish with Reply of \"_GR_.b\"'\r\n"),
            S("-ERR 'Permissions Violation for Publish with Reply of \"$JS.ACK.b\"'\r\n"),
            S("MSG a 1 $JS.ACK 1\r\ny\r\n"),
        ],
    ),
];
