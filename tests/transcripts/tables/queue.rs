//! Queue groups: one member each, whoever it is.

use crate::case::{C, Case, HELLO, S, all, case, hello, one_of};

pub(crate) const ROWS: &[Case] = &[
    case(
        "one_of_three_members_gets_the_message",
        &[
            HELLO,
            C("SUB job w 1\r\nSUB job w 2\r\nSUB job w 3\r\nPUB job 1\r\nx\r\n"),
            one_of(&["MSG job 1 1\r\nx\r\n", "MSG job 2 1\r\nx\r\n", "MSG job 3 1\r\nx\r\n"]),
        ],
    ),
    case(
        "two_groups_and_a_plain_subscriber_each_get_it",
        &[
            HELLO,
            C("SUB job g1 1\r\nSUB job g2 2\r\nSUB job 3\r\nPUB job 1\r\nx\r\n"),
            all(&["MSG job 1 1\r\nx\r\n", "MSG job 2 1\r\nx\r\n", "MSG job 3 1\r\nx\r\n"]),
        ],
    ),
    case(
        "a_group_over_overlapping_patterns_gets_it_once",
        &[
            HELLO,
            C("SUB t.* g 1\r\nSUB t.> g 2\r\nSUB t.x g 3\r\nPUB t.x 1\r\nm\r\n"),
            one_of(&["MSG t.x 1 1\r\nm\r\n", "MSG t.x 2 1\r\nm\r\n", "MSG t.x 3 1\r\nm\r\n"]),
        ],
    ),
    case(
        "after_a_member_has_left_the_other_gets_everything",
        &[
            HELLO,
            HELLO.by('B'),
            HELLO.by('P'),
            C("SUB job q 1\r\nPING\r\n"),
            S("PONG\r\n"),
            C("SUB job q 2\r\nPING\r\n").by('B'),
            S("PONG\r\n").by('B'),
            C("UNSUB 1\r\nPING\r\n"),
            S("PONG\r\n"),
            C("PUB job 1\r\na\r\nPUB job 1\r\nb\r\nPUB job 1\r\nc\r\nPUB job 1\r\nd\r\nPING\r\n").by('P'),
            S("PONG\r\n").by('P'),
            // A message that was chosen again may be overtaken by one that was not.
            all(&["MSG job 2 1\r\na\r\n", "MSG job 2 1\r\nb\r\n", "MSG job 2 1\r\nc\r\n", "MSG job 2 1\r\nd\r\n"])
                .by('B'),
        ],
    ),
    case(
        "without_echo_the_member_elsewhere_is_chosen",
        &[
            hello(",\"echo\":false"),
            HELLO.by('B'),
            C("SUB job q 1\r\nPING\r\n"),
            S("PONG\r\n"),
            C("SUB job q 2\r\nPING\r\n").by('B'),
            S("PONG\r\n").by('B'),
            C("PUB job 1\r\na\r\nPUB job 1\r\nb\r\nPUB job 1\r\nc\r\nPUB job 1\r\nd\r\nPING\r\n"),
            S("PONG\r\n"),
            S("MSG job 2 1\r\na\r\nMSG job 2 1\r\nb\r\nMSG job 2 1\r\nc\r\nMSG job 2 1\r\nd\r\n").by('B'),
        ],
    ),
    case(
        "without_echo_the_only_member_gets_nothing",
        &[hello(",\"echo\":false"), C("SUB job q 1\r\nPUB job 1\r\na\r\nPING\r\n"), S("PONG\r\n")],
    ),
    case(
        "a_group_name_is_any_token",
        &[
            HELLO,
            C("SUB foo my.queue-1 1\r\nSUB foo * 2\r\nSUB foo > 3\r\nPUB foo 1\r\nx\r\n"),
            all(&["MSG foo 1 1\r\nx\r\n", "MSG foo 2 1\r\nx\r\n", "MSG foo 3 1\r\nx\r\n"]),
        ],
    ),
    case(
        "two_blanks_make_no_empty_group",
        &[
            HELLO,
            C("SUB foo  1\r\nSUB foo  2\r\nPUB foo 1\r\nx\r\n"),
            all(&["MSG foo 1 1\r\nx\r\n", "MSG foo 2 1\r\nx\r\n"]),
        ],
    ),
    case(
        "the_same_name_on_two_subjects_is_two_groups",
        &[
            HELLO,
            C("SUB one q 1\r\nSUB two q 2\r\nPUB one 1\r\na\r\nPUB two 1\r\nb\r\nPUB one 1\r\nc\r\n"),
            S("MSG one 1 1\r\na\r\nMSG two 2 1\r\nb\r\nMSG one 1 1\r\nc\r\n"),
        ],
    ),
    case(
        "a_member_with_a_maximum_leaves_when_it_is_reached",
        &[
            HELLO,
            C("SUB job q 1\r\nUNSUB 1 1\r\nPUB job 1\r\na\r\nSUB job q 2\r\nPUB job 1\r\nb\r\nPUB job 1\r\nc\r\n"),
            S("MSG job 1 1\r\na\r\nMSG job 2 1\r\nb\r\nMSG job 2 1\r\nc\r\n"),
        ],
    ),
];
