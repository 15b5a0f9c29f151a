//! Request and reply, and the 503 where nobody answers.

use crate::case::{C, Case, HELLO, S, case, hello};

pub(crate) const ROWS: &[Case] = &[
    case(
        "a_request_nobody_gets_is_answered_by_the_server",
        &[
            HELLO,
            C("SUB in.* 3\r\nPUB svc in.token9 2\r\nhi\r\n"),
            S("HMSG in.token9 3 35 35\r\nNATS/1.0 503\r\nNats-Subject: svc\r\n\r\n\r\n"),
        ],
    ),
    case(
        "a_request_with_headers_gets_it_too",
        &[
            HELLO,
            C("SUB in 1\r\nHPUB svc in 12 12\r\nNATS/1.0\r\n\r\n\r\n"),
            S("HMSG in 1 35 35\r\nNATS/1.0 503\r\nNats-Subject: svc\r\n\r\n\r\n"),
        ],
    ),
    case(
        "in_verbose_mode_ok_comes_first",
        &[
            hello(",\"verbose\":true"),
            C("SUB in 1\r\n"),
            S("+OK\r\n"),
            C("PUB svc in 0\r\n\r\n"),
            S("+OK\r\nHMSG in 1 35 35\r\nNATS/1.0 503\r\nNats-Subject: svc\r\n\r\n\r\n"),
        ],
    ),
    case(
        "who_did_not_ask_for_it_gets_nothing",
        &[hello(",\"no_responders\":false"), C("SUB in 1\r\nPUB svc in 2\r\nhi\r\nPING\r\n"), S("PONG\r\n")],
    ),
    case("without_an_inbox_there_is_nowhere_to_send_it", &[HELLO, C("PUB svc in 2\r\nhi\r\nPING\r\n"), S("PONG\r\n")]),
    case(
        "an_inbox_of_a_queue_member_does_not_get_it",
        &[HELLO, C("SUB in q 1\r\nPUB svc in 0\r\n\r\nPING\r\n"), S("PONG\r\n")],
    ),
    case(
        "without_echo_ones_own_subscription_is_no_responder",
        &[
            hello(",\"echo\":false"),
            C("SUB in 1\r\nSUB svc 2\r\nPUB svc in 2\r\nhi\r\n"),
            S("HMSG in 1 35 35\r\nNATS/1.0 503\r\nNats-Subject: svc\r\n\r\n\r\n"),
        ],
    ),
    case(
        "the_answer_of_the_server_does_not_count_for_a_maximum",
        &[
            HELLO,
            C("SUB in 1\r\nUNSUB 1 1\r\nPUB svc in 0\r\n\r\n"),
            S("HMSG in 1 35 35\r\nNATS/1.0 503\r\nNats-Subject: svc\r\n\r\n\r\n"),
            C("PUB in 1\r\nx\r\nPUB in 1\r\ny\r\nPING\r\n"),
            S("MSG in 1 1\r\nx\r\nPONG\r\n"),
        ],
    ),
    case(
        "a_publish_may_name_itself_as_reply",
        &[HELLO, C("SUB in 1\r\nPUB in in 1\r\nx\r\n"), S("MSG in 1 in 1\r\nx\r\n")],
    ),
    case(
        "request_and_reply_over_two_connections",
        &[
            HELLO,
            HELLO.by('B'),
            C("SUB in.* 1\r\nPING\r\n"),
            S("PONG\r\n"),
            C("SUB svc q 7\r\nPING\r\n").by('B'),
            S("PONG\r\n").by('B'),
            C("PUB svc in.7 4\r\nwhat\r\n"),
            S("MSG svc 7 in.7 4\r\nwhat\r\n").by('B'),
            C("PUB in.7 4\r\nthat\r\n").by('B'),
            S("MSG in.7 1 4\r\nthat\r\n"),
        ],
    ),
    case(
        "the_inbox_of_a_request_is_known_wherever_it_is_answered",
        &[
            HELLO,
            HELLO.by('B'),
            HELLO.by('D'),
            C("SUB svc 7\r\nPING\r\n").by('B'),
            S("PONG\r\n").by('B'),
            // The subscription and the request in one write; the answer comes from a connection that has seen neither.
            C("SUB in.1 1\r\nPUB svc in.1 1\r\n?\r\n"),
            S("MSG svc 7 in.1 1\r\n?\r\n").by('B'),
            C("PUB in.1 1\r\n!\r\n").by('D'),
            S("MSG in.1 1 1\r\n!\r\n"),
        ],
    ),
    case(
        "the_last_responder_has_left_and_the_answer_is_503",
        &[
            HELLO,
            HELLO.by('B'),
            C("SUB svc q 7\r\nPING\r\n").by('B'),
            S("PONG\r\n").by('B'),
            C("SUB in 1\r\nPUB svc in 1\r\n?\r\n"),
            S("MSG svc 7 in 1\r\n?\r\n").by('B'),
            C("PUB in 1\r\n!\r\n").by('B'),
            S("MSG in 1 1\r\n!\r\n"),
            C("UNSUB 7\r\nPING\r\n").by('B'),
            S("PONG\r\n").by('B'),
            C("PUB svc in 1\r\n?\r\n"),
            S("HMSG in 1 35 35\r\nNATS/1.0 503\r\nNats-Subject: svc\r\n\r\n\r\n"),
        ],
    ),
    case(
        "of_several_answers_the_maximum_lets_one_through",
        &[
            HELLO,
            HELLO.by('B'),
            C("SUB svc 1\r\nSUB svc 2\r\nPING\r\n").by('B'),
            S("PONG\r\n").by('B'),
            C("SUB in 1\r\nUNSUB 1 1\r\nPUB svc in 1\r\n?\r\n"),
            crate::case::all(&["MSG svc 1 in 1\r\n?\r\n", "MSG svc 2 in 1\r\n?\r\n"]).by('B'),
            C("PUB in 1\r\na\r\nPUB in 1\r\nb\r\nPING\r\n").by('B'),
            S("PONG\r\n").by('B'),
            S("MSG in 1 1\r\na\r\n"),
        ],
    ),
];
