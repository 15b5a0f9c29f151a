//! Messages of one subject, one behind the other in one write: each is delivered as if it were alone.

use crate::case::{C, Case, HELLO, S, all, case, hello, one_of};

pub(crate) const ROWS: &[Case] = &[
    case(
        "each_of_a_run_comes_in_order",
        &[
            HELLO,
            C("SUB a 1\r\nPUB a 1\r\n1\r\nPUB a 2\r\n22\r\nPUB a 3\r\n333\r\nPUB a 0\r\n\r\nPING\r\n"),
            S("MSG a 1 1\r\n1\r\nMSG a 1 2\r\n22\r\nMSG a 1 3\r\n333\r\nMSG a 1 0\r\n\r\nPONG\r\n"),
        ],
    ),
    case(
        "every_receiver_has_its_own_sid",
        &[
            HELLO.by('B'),
            C("SUB a 1\r\nPING\r\n").by('B'),
            S("PONG\r\n").by('B'),
            HELLO.by('D'),
            C("SUB a 1\r\nPING\r\n").by('D'),
            S("PONG\r\n").by('D'),
            HELLO.by('E'),
            C("SUB a 9000000000000000000000000000009\r\nPING\r\n").by('E'),
            S("PONG\r\n").by('E'),
            HELLO.by('F'),
            C("SUB * 77\r\nPING\r\n").by('F'),
            S("PONG\r\n").by('F'),
            HELLO,
            C("PUB a 1\r\nx\r\nPUB a 1\r\ny\r\nPUB a 1\r\nz\r\nPING\r\n"),
            S("PONG\r\n"),
            S("MSG a 1 1\r\nx\r\nMSG a 1 1\r\ny\r\nMSG a 1 1\r\nz\r\n").by('B'),
            S("MSG a 1 1\r\nx\r\nMSG a 1 1\r\ny\r\nMSG a 1 1\r\nz\r\n").by('D'),
            S("MSG a 9000000000000000000000000000009 1\r\nx\r\nMSG a 9000000000000000000000000000009 1\r\ny\r\n\
               MSG a 9000000000000000000000000000009 1\r\nz\r\n")
            .by('E'),
            S("MSG a 77 1\r\nx\r\nMSG a 77 1\r\ny\r\nMSG a 77 1\r\nz\r\n").by('F'),
        ],
    ),
    case(
        "a_subscription_ends_within_a_run",
        &[
            HELLO,
            C("SUB a 1\r\nUNSUB 1 2\r\nPUB a 1\r\nx\r\nPUB a 1\r\ny\r\nPUB a 1\r\nz\r\nPING\r\n"),
            S("MSG a 1 1\r\nx\r\nMSG a 1 1\r\ny\r\nPONG\r\n"),
        ],
    ),
    case(
        "one_of_two_ends_within_a_run",
        &[
            HELLO,
            C("SUB a 1\r\nUNSUB 1 2\r\nPING\r\n"),
            S("PONG\r\n"),
            HELLO.by('B'),
            C("SUB a 1\r\nPING\r\n").by('B'),
            S("PONG\r\n").by('B'),
            C("PUB a 1\r\nx\r\nPUB a 1\r\ny\r\nPUB a 1\r\nz\r\nPING\r\n"),
            S("MSG a 1 1\r\nx\r\nMSG a 1 1\r\ny\r\nPONG\r\n"),
            S("MSG a 1 1\r\nx\r\nMSG a 1 1\r\ny\r\nMSG a 1 1\r\nz\r\n").by('B'),
        ],
    ),
    case(
        "two_subscriptions_of_a_client_have_each_message_before_the_next",
        &[
            HELLO,
            C("SUB a 1\r\nSUB > 2\r\nPING\r\n"),
            S("PONG\r\n"),
            C("PUB a 1\r\nx\r\n"),
            all(&["MSG a 1 1\r\nx\r\n", "MSG a 2 1\r\nx\r\n"]),
            C("PUB a 1\r\ny\r\nPUB a 1\r\nz\r\nPING\r\n"),
            all(&["MSG a 1 1\r\ny\r\n", "MSG a 2 1\r\ny\r\n"]),
            all(&["MSG a 1 1\r\nz\r\n", "MSG a 2 1\r\nz\r\n"]),
            S("PONG\r\n"),
        ],
    ),
    case(
        "what_interrupts_a_run_finds_it_delivered",
        &[
            HELLO,
            C(
                "SUB a 1\r\nPUB a 1\r\n1\r\nPUB a 1\r\n2\r\nPUB a re 1\r\n3\r\nPUB b 1\r\n-\r\nPUB a 1\r\n4\r\nSUB a 2\r\n\
               UNSUB 1\r\nPUB a 1\r\n5\r\nPUB a 1\r\n6\r\nUNSUB 2\r\nPUB a 1\r\n7\r\nPING\r\n",
            ),
            S("MSG a 1 1\r\n1\r\nMSG a 1 1\r\n2\r\nMSG a 1 re 1\r\n3\r\nMSG a 1 1\r\n4\r\nMSG a 2 1\r\n5\r\n\
               MSG a 2 1\r\n6\r\nPONG\r\n"),
        ],
    ),
    case(
        "who_wants_no_echo_has_none_of_a_run",
        &[
            hello(",\"echo\":false"),
            C("SUB a 1\r\nPING\r\n"),
            S("PONG\r\n"),
            HELLO.by('B'),
            C("SUB a 1\r\nPING\r\n").by('B'),
            S("PONG\r\n").by('B'),
            C("PUB a 1\r\nx\r\nPUB a 1\r\ny\r\nPING\r\n"),
            S("PONG\r\n"),
            S("MSG a 1 1\r\nx\r\nMSG a 1 1\r\ny\r\n").by('B'),
        ],
    ),
    case(
        "a_verbose_client_has_its_answers_before_each_message",
        &[
            C("CONNECT {\"verbose\":true,\"pedantic\":false}\r\nSUB a 1\r\nPUB a 1\r\nx\r\nPUB a 1\r\ny\r\nPING\r\n"),
            S("+OK\r\n+OK\r\n+OK\r\nMSG a 1 1\r\nx\r\n+OK\r\nMSG a 1 1\r\ny\r\nPONG\r\n"),
        ],
    ),
    case(
        "members_of_one_client_have_what_they_are_chosen_for_in_order",
        &[
            HELLO,
            C(
                "SUB a q 1\r\nSUB a q 2\r\nPUB a 1\r\n1\r\nPUB a 1\r\n2\r\nPUB a 1\r\n3\r\nPUB a 1\r\n4\r\nPUB a 1\r\n5\r\nPING\r\n",
            ),
            one_of(&["MSG a 1 1\r\n1\r\n", "MSG a 2 1\r\n1\r\n"]),
            one_of(&["MSG a 1 1\r\n2\r\n", "MSG a 2 1\r\n2\r\n"]),
            one_of(&["MSG a 1 1\r\n3\r\n", "MSG a 2 1\r\n3\r\n"]),
            one_of(&["MSG a 1 1\r\n4\r\n", "MSG a 2 1\r\n4\r\n"]),
            one_of(&["MSG a 1 1\r\n5\r\n", "MSG a 2 1\r\n5\r\n"]),
            S("PONG\r\n"),
        ],
    ),
    case(
        "a_member_ends_within_a_run",
        &[
            HELLO,
            C("SUB a q 1\r\nUNSUB 1 2\r\nPUB a 1\r\nx\r\nPUB a 1\r\ny\r\nPUB a 1\r\nz\r\nPING\r\n"),
            S("MSG a 1 1\r\nx\r\nMSG a 1 1\r\ny\r\nPONG\r\n"),
        ],
    ),
    case(
        "a_group_beside_a_plain_subscription",
        &[
            HELLO,
            C("SUB a q 1\r\nPING\r\n"),
            S("PONG\r\n"),
            HELLO.by('B'),
            C("SUB a 1\r\nPING\r\n").by('B'),
            S("PONG\r\n").by('B'),
            C("PUB a 1\r\nx\r\nPUB a 1\r\ny\r\nPING\r\n"),
            S("MSG a 1 1\r\nx\r\nMSG a 1 1\r\ny\r\nPONG\r\n"),
            S("MSG a 1 1\r\nx\r\nMSG a 1 1\r\ny\r\n").by('B'),
        ],
    ),
];
