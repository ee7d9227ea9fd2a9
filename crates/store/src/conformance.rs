//! The suite that every store must pass: one function a promise, run by the rooms that implement a store.
//!
//! A room's test calls [`conformance!`](crate::conformance!) with something that makes empty stores ([`Homes`]); each promise becomes a
//! test of its own. What a promise needs in a store it writes there by the same methods as the pipeline. Read on in
//! [`inbox`], [`batches`], [`lookups`], [`past`]; [`life`] is the member whose days most of them are about.

pub mod access;
pub mod arrivals;
pub mod audiences;
pub mod batches;
pub mod campaigns;
pub mod checkouts;
pub mod closing;
pub mod closing_coupons;
pub mod codes;
pub mod conversations;
pub mod coupons;
pub mod crowd;
pub mod doors;
pub mod draws;
pub mod inbox;
pub mod life;
pub mod links;
pub mod lists;
pub mod lookups;
pub mod mirror;
pub mod partners;
pub mod past;
pub mod people;
pub mod personal;
pub mod places;
pub mod reading;
pub mod retain;
pub mod sends;
pub mod suggestions;
pub mod takeover;
pub mod tills;
pub mod webhooks;

use std::sync::Arc;

use zhiyin_model::id::IdKey;

use crate::Store;

/// Makes stores for one test, each new and empty, and does away with them when dropped.
pub trait Homes: Send + Sync {
    /// A new store with this id key.
    fn fresh(&self, key: &IdKey) -> Arc<dyn Store>;
}

/// The id key that tests use where it does not matter.
pub const KEY: IdKey = IdKey::from_bytes([1; 32]);

/// Makes a test of each promise: `conformance!(make)`, where `make()` gives a [`Homes`]. The calling crate has `tokio` with its macros.
#[macro_export]
macro_rules! conformance {
    ($make:expr) => {
        $crate::conformance!($make;
            inbox: an_item_is_taken_once, the_clock_never_runs_backwards, history_is_placed_at_its_own_time,
                what_happens_now_is_placed_after_history, progress_is_written_with_its_items,
                a_source_keeps_its_namespace, derived_events_wait_before_the_inbox,
                dead_letters_are_listed_and_put_back, what_became_of_an_item_is_told, names_are_settled_at_the_door,
                what_may_reach_others_comes_first, what_was_put_back_may_reach_others_too,
                what_is_put_back_is_about_who_they_are_now, places_follow_the_months;
            batches: a_batch_is_written_whole_or_not_at_all, a_stale_batch_is_refused, a_batch_moves_the_home_on,
                a_share_has_one_holder, an_order_is_one_order, members_are_woken_in_turn,
                a_life_leaves_nothing_for_the_doctor;
            lookups: members_are_found_by_identifier_and_id, orders_are_found_and_changed,
                lots_cover_an_amount_in_spending_order, lots_are_found_by_their_days,
                a_spend_is_found_with_what_it_took, holds_open_and_close, terms_and_history_are_oldest_first;
            past: reports_say_what_was_true_then, one_member_whole, the_overview_counts_what_there_is,
                playbooks_have_versions, members_behind_a_version_are_found,
                the_digest_depends_on_neither_keys_nor_batches, the_digest_tells_any_difference,
                months_move_to_files, a_home_moves_whole;
            personal: what_a_member_told_is_kept_whole, what_a_member_told_moves_with_the_home;
            suggestions: a_pair_is_suggested_once, a_decided_pair_is_never_suggested_again,
                what_is_out_of_bounds_is_not_queued, the_queue_moves_with_the_home, names_of_several_members;
            doors: names_are_settled_by_their_rules, names_are_told_with_when_they_were_seen, doors_move_with_the_home,
                one_person_has_so_many_names, what_anybody_sends_says_nothing_new_of_who_is_known,
                what_was_given_up_is_forgotten;
            partners: partners_are_counted_as_of_an_instant;
            crowd: everybody_is_read_part_by_part, courses_are_read_in_their_order, who_was_refused_is_told_by_place, orders_are_told_as_they_stood, who_ends_is_in_the_feed,
                what_is_let_go_is_in_the_feed, a_consumer_comes_and_goes;
            retain: what_events_said_is_let_go_part_by_part;
            takeover: what_came_is_known_by_its_message_id, a_take_over_is_told_by_its_source;
            reading: a_list_goes_on_where_it_stopped, members_are_found_by_what_they_are_called_now,
                the_index_moves_with_the_home, a_timeline_is_told_part_by_part, orders_are_told_part_by_part,
                dead_letters_are_told_part_by_part;
            audiences: memberships_are_kept_counted_and_listed, the_digest_tells_who_is_in, memberships_move_with_the_home,
                whoever_is_erased_is_in_none;
            lists: who_is_put_on_a_list_is_on_it_once, the_last_upload_is_what_a_list_is, lists_follow_who_is_whom,
                whoever_is_erased_is_on_none, the_digest_tells_who_is_listed, lists_move_with_the_home;
            access: the_audit_log_is_one_chain, lines_written_at_once_are_one_chain, keys_begin_and_end_with_their_line,
                approvals_take_a_second_person, an_approval_is_answered_once, access_moves_with_a_home;
            people: a_person_is_changed_by_who_read_them_last, sessions_begin_and_end_with_their_line,
                of_many_who_change_a_person_at_once_one_does, people_move_with_a_home;
            coupons: coupons_are_found_and_moved, no_more_is_taken_of_a_pool_than_there_is,
                many_who_write_at_once_take_exactly_what_there_is, coupons_follow_whoever_they_are,
                an_issue_is_written_down_part_by_part, coupons_move_with_the_home, the_digest_tells_coupons_apart;
            codes: codes_are_taken_in_once_and_what_came_before_is_named, codes_are_handed_out_in_their_places,
                many_who_hand_out_at_once_give_each_code_once, what_was_not_handed_out_is_withdrawn, codes_move_with_the_home,
                the_digest_tells_codes_apart;
            draws: a_draw_is_changed_by_who_read_it_last, a_closed_list_stays_as_it_was_written, chances_are_counted_by_member,
                draws_move_with_the_home;
            checkouts: checkouts_are_kept_as_they_stand, checkouts_follow_whoever_they_are, checkouts_move_with_the_home,
                the_digest_tells_checkouts_apart, a_checkout_of_whoever_is_erased_says_nothing;
            tills: a_lease_is_taken_whole_or_not_at_all, a_lease_is_changed_by_who_read_it_last, leases_are_found_when_they_are_due,
                what_is_leased_and_what_is_taken_are_one_pool, leases_move_with_the_home, the_digest_tells_leases_apart;
            campaigns: what_is_said_is_said_once, runs_follow_whoever_they_are, campaigns_move_with_the_home,
                whoever_is_erased_was_told_nothing, who_began_a_campaign_is_read_part_by_part;
            sends: what_is_due_is_lent_to_one_at_a_time, what_nobody_noted_is_unknown_or_waits_by_its_key,
                what_failed_is_told_moved_and_listed, a_pace_is_moved_on_by_who_read_it_last,
                what_costs_something_is_counted_once_and_settled_by_its_receipt, what_leaves_moves_with_the_home,
                what_leaves_follows_whoever_they_are, what_was_said_is_let_go_unless_it_is_on_its_way;
            arrivals: what_comes_is_kept_once, a_lane_is_lent_in_order_to_one_at_a_time,
                dead_letters_wait_for_people_and_the_rest_is_forgotten, what_came_moves_with_the_home,
                what_came_of_whoever_is_erased_says_nothing;
            mirror: a_thing_is_changed_by_who_read_it_as_it_is, what_is_due_of_a_kind_is_lent_to_one_at_a_time,
                things_are_listed_by_what_they_belong_to, the_mirror_moves_with_the_home, what_was_seen_of_whoever_is_erased_says_nothing;
            conversations: what_was_heard_and_how_it_is_listed_are_written_at_once_or_not_at_all,
                conversations_are_listed_by_their_last_words, conversations_move_with_the_home,
                a_conversation_with_whoever_is_erased_is_on_no_list;
            links: a_link_is_kept_once_and_counts, links_follow_whoever_they_are, links_move_with_the_home,
                a_link_of_whoever_is_erased_names_nobody;
            closing: months_are_summed_from_the_journal, a_month_is_closed_once_and_stays, what_may_still_change_is_not_closed,
                what_comes_late_counts_where_it_is_open, lines_that_the_ledger_does_not_bear_out_are_found, a_month_is_closed_beside_batches,
                closed_months_move_with_a_home;
            closing_coupons: coupons_are_summed_from_their_moves, a_coupon_that_moves_late_counts_where_it_is_open,
                lines_of_coupons_that_moves_do_not_bear_out_are_found, closed_coupons_move_with_a_home;
            webhooks: endpoints_change_with_their_line, the_feed_is_followed_while_there_is_an_endpoint,
                what_happened_is_found_by_the_feed, a_message_is_made_once, a_message_is_lent_to_one_at_a_time, what_an_endpoint_was_lends_nothing,
                attempts_are_noted, messages_are_replayed_and_forgotten, webhooks_move_with_a_home;
            places: a_tree_is_put_once, an_edit_is_written_whole_or_not_at_all, the_tree_is_told_as_it_was,
                the_digest_tells_trees_apart, a_tree_moves_whole, reports_are_cut_by_stores, a_cut_of_nowhere_is_empty;
        );
    };
    ($make:expr; $($room:ident: $($promise:ident),*;)*) => {
        $(mod $room {
            use super::*;
            $(#[tokio::test]
            async fn $promise() -> $crate::Result<()> {
                let homes = $make;
                $crate::conformance::$room::$promise(&homes).await
            })*
        })*
    };
}
