// What the API takes and gives. Made of docs/openapi.json by `npm run types`: not written by hand.
export interface paths {
    "/api/public/apps/batch": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["dittofeed_batch"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/s/s2s/batch": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["jitsu_batch"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/batch/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["posthog_batch"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/alias": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["alias"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/approvals": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["approvals_list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/approvals/{no}/approve": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["approvals_approve"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/approvals/{no}/refuse": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["approvals_refuse"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/arrivals": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["arrivals_list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/arrivals/{arrival}/drop": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["arrivals_drop"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/arrivals/{arrival}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["arrivals_retry"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audiences": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["audiences_saved"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audiences/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["audiences_one"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audiences/breakdown": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["audiences_breakdown"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audiences/count": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["audiences_count"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audiences/explain": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["audiences_explain"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audiences/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["audiences_export"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audiences/members": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["audiences_members"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audiences/overlap": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["audiences_overlap"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audiences/sample": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["audiences_sample"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audiences/top": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["audiences_top"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["audit_list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audit/verify": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["audit_verify"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/batch": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["batch"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/books/close": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["books_close"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/brand": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["brand_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/campaigns": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["campaigns_list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/campaigns/{campaign}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["campaigns_read"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/campaigns/{campaign}/effect": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["campaigns_effect"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/campaigns/{campaign}/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["campaigns_pause"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/campaigns/{campaign}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["campaigns_resume"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/campaigns/{campaign}/stop": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["campaigns_stop"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/channels": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["channels_list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/channels/{channel}/{account}/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["channels_test"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/channels/email/bounces": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["channels_email_bounces"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/checkout": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["checkout_read"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/code-uploads": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["code_uploads_all"];
        put?: never;
        post: operations["code_uploads_begin"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/code-uploads/{batch}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["code_uploads_read"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/code-uploads/{batch}/end": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["code_uploads_end"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/code-uploads/{batch}/parts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["code_uploads_part"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/code-uploads/{batch}/withdraw": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["code_uploads_withdraw"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/commands/campaigns/begin": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["campaigns_begin"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/commands/channels/write-again": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["channels_write_again"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/commands/checkout/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["checkout_cancel"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/commands/checkout/lock": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["checkout_lock"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/commands/checkout/quote": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["checkout_quote"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/commands/checkout/redeem": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["checkout_redeem"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/commands/checkout/return": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["checkout_return"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/commands/consents/set": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["consents_set"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/commands/coupons/claim": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["coupons_claim"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/commands/coupons/issue": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["coupons_issue"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/commands/coupons/redeem": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["coupons_redeem"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/commands/coupons/withdraw": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["coupons_withdraw"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/commands/members/enrol": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["members_enrol"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/commands/members/erase": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["members_erase"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/commands/members/lookup": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["members_lookup"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/commands/members/merge": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["members_merge"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/commands/members/tag": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["members_tag"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/commands/members/unmask": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["members_unmask"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/commands/members/unmerge": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["members_unmerge"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/commands/members/unmerge/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["members_unmerge_preview"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/commands/members/update": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["members_update"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/commands/messages/seen": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["messages_seen"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/commands/places/close": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["places_close"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/commands/places/move": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["places_move"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/commands/places/put": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["places_put"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/commands/playbooks/apply": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["playbooks_apply"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/commands/playbooks/check": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["playbooks_check"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/commands/playbooks/diff": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["playbooks_diff"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/commands/points/adjust": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["points_adjust"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/commands/points/post": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["points_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/commands/points/return": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["points_return"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/commands/points/spend": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["points_spend"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/commands/points/void": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["points_void"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/commands/staff/put": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["staff_put"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/commands/tasks/done": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["tasks_done"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/consents/purposes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["consents_purposes"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/coupon-issues": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["coupons_issues"];
        put?: never;
        post: operations["coupons_issue_many"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/coupon-issues/{number}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["coupons_issue_read"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/coupon-issues/{number}/approve": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["coupons_issue_approve"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/coupons/{code}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["coupons_read"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/dead-letters": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["dead_letters_list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/dead-letters/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["dead_letters_retry"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/digest": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["home_digest"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/doctor": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["home_doctor"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/draws": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["draws_list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/draws/{draw}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["draws_read"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/draws/{draw}/close": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["draws_close"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/draws/{draw}/file": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["draws_file"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/draws/{draw}/open": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["draws_open"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/draws/{draw}/roll": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["draws_roll"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/draws/{draw}/run": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["draws_run"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/duplicates": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["duplicates_list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/duplicates/{number}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["duplicates_read"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/duplicates/{number}/different": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["duplicates_different"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/duplicates/{number}/merge": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["duplicates_merge"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/given-up": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["given_up_list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/group": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["group"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/identify": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["identify"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/import": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["import"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/inbox": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["inbox_list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/inbox/{conversation}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["inbox_read"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/inbox/{conversation}/assign": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["inbox_assign"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/inbox/{conversation}/close": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["inbox_close"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/inbox/{conversation}/complaint": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["inbox_complaint"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/inbox/{conversation}/read": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["inbox_mark_read"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/inbox/{conversation}/reopen": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["inbox_reopen"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/inbox/{conversation}/reply": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["inbox_reply"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/ingest/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["ingest_health"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["keys_list"];
        put?: never;
        post: operations["keys_make"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/keys/{id}/revoke": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["keys_revoke"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/keys/{id}/rotate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["keys_rotate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/links": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["links_list"];
        put?: never;
        post: operations["links_make"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/links/{code}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["links_read"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/links/{code}/qr": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["links_qr"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/lists": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["lists_all"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/lists/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["lists_one"];
        put: operations["lists_put"];
        post?: never;
        delete: operations["lists_remove"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/lists/{name}/members": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["lists_add"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["me_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch: operations["me_change"];
        trace?: never;
    };
    "/v1/me/claims": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["me_claim"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/code": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["me_code"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/consents": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["me_consents"];
        put: operations["me_consent"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/coupons": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["me_coupons"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/door": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["me_door"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/draws": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["me_draws"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/erase": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["me_erase"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["me_export"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/offers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["me_offers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/orders": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["me_orders"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/pass": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["me_pass"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/payouts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["me_payouts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/points": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["me_points"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/seen": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["me_seen"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["me_session"];
        put?: never;
        post: operations["me_session_begin"];
        delete: operations["me_session_end"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/members": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["members_list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/members/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["members_read"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/members/{id}/campaigns/{campaign}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["members_campaign_why"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/members/{id}/coupons": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["members_coupons"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/members/{id}/draws": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["members_draws"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/members/{id}/inbox": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["members_inbox"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/members/{id}/lots": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["members_lots"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/members/{id}/orders": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["members_orders"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/members/{id}/prompts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["members_prompts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/members/{id}/runs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["members_runs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/members/{id}/sends": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["members_sends"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/members/{id}/timeline": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["members_timeline"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/members/{id}/why": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["members_why"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/page": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["page"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/partners": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["partners_read"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/payouts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["payouts_list"];
        put?: never;
        post: operations["payouts_ask"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/payouts/{payout}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["payouts_read"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/payouts/{payout}/approve": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["payouts_approve"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/payouts/{payout}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["payouts_cancel"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/payouts/{payout}/refuse": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["payouts_refuse"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/people": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["people_list"];
        put?: never;
        post: operations["people_add"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/people/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        delete: operations["people_remove"];
        options?: never;
        head?: never;
        patch: operations["people_change"];
        trace?: never;
    };
    "/v1/people/{id}/password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["people_password"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/places": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["places_list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/places/{code}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["places_read"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/places/unknown": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["places_unknown"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/platforms": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["platforms_list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/playbooks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["playbooks_list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/playbooks/{version}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["playbooks_read"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/posters/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["posters_draw"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/posts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["posts_list"];
        put?: never;
        post: operations["posts_ask"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/posts/{batch}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["posts_read"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/posts/{batch}/approve": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["posts_approve"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/posts/{batch}/refuse": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["posts_refuse"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/reports/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["reports_read"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/reports/books": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["books_read"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/screen": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["screen"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/seats": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["seats_read"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sends": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["sends_list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sends/{send}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["sends_read"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sends/{send}/drop": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["sends_drop"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sends/{send}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["sends_retry"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["session_get"];
        put?: never;
        post: operations["session_begin"];
        delete: operations["session_end"];
        options?: never;
        head?: never;
        patch: operations["session_change"];
        trace?: never;
    };
    "/v1/session/password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["session_password"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/session/totp": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["session_totp_offer"];
        delete: operations["session_totp_end"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/session/totp/confirm": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["session_totp_confirm"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/session/ways": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["session_ways"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/setup": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["setup_get"];
        put?: never;
        post: operations["setup"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/simulations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["simulations_begin"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/simulations/{simulation}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["simulations_read"];
        put?: never;
        post?: never;
        delete: operations["simulations_stop"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/tasks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["tasks_list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/till-key": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["tills_key"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/till-lease": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["tills_read"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/till-lease/return": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["tills_return"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/till-lease/sales": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["tills_sales"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/till-lease/snapshot": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["tills_snapshot"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/till-leases": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["tills_list"];
        put?: never;
        post: operations["tills_lease"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/track": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["track"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/transfers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["transfers_list"];
        put?: never;
        post: operations["transfers_begin"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/transfers/{transfer}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["transfers_read"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/transfers/{transfer}/approve": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["transfers_approve"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/transfers/{transfer}/refuse": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["transfers_refuse"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/views": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["views_list"];
        put: operations["views_save"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/views/{view}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        delete: operations["views_drop"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/ways": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["ways_list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/webhooks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["webhooks_list"];
        put?: never;
        post: operations["webhooks_make"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/webhooks/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["webhooks_read"];
        put?: never;
        post?: never;
        delete: operations["webhooks_remove"];
        options?: never;
        head?: never;
        patch: operations["webhooks_change"];
        trace?: never;
    };
    "/v1/webhooks/{id}/messages": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["webhooks_messages"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/webhooks/{id}/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["webhooks_pause"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/webhooks/{id}/replay": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["webhooks_replay"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/webhooks/{id}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["webhooks_resume"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/webhooks/{id}/rotate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["webhooks_rotate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/webhooks/{id}/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["webhooks_test"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/webhooks/kinds": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["webhooks_kinds"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        Account: {
            /** Format: int64 */
            active: number;
            /** Format: int64 */
            debt: number;
            /** Format: int64 */
            held: number;
            /** Format: int64 */
            pending: number;
            /** Format: int64 */
            shown: number;
        };
        AccountSeats: {
            account: string;
            /** Format: uint */
            friends: number;
            /** Format: uint64 */
            most: number | null;
            persona: string | null;
            warn: boolean;
        };
        AccountView: {
            /** Format: int64 */
            active: number;
            asset: string;
            /** Format: int64 */
            debt: number;
            /** Format: int64 */
            held: number;
            /** Format: int64 */
            pending: number;
            /** Format: int64 */
            shown: number;
        };
        AliasView: {
            id: string;
            since: string;
        };
        Applied: {
            hash: string;
            id: string;
            new: boolean;
            /** Format: int64 */
            version: number;
        };
        AppliedTold: {
            /** Format: int64 */
            amount: number;
            coupon?: string | null;
            gives?: components["schemas"]["GivenTold"] | null;
            name: components["schemas"]["Both"];
            offer: string;
        };
        ArmView: {
            arm: string;
            /** Format: int64 */
            coupon_cost: number;
            /** Format: uint64 */
            members: number;
            /** Format: int64 */
            points: number;
            /** Format: int64 */
            sent: number;
        };
        ArrivalsListed: {
            items: components["schemas"]["ArrivalView"][];
        };
        ArrivalView: {
            arrival: string;
            at: string;
            channel: string;
            lane: string;
            next: string | null;
            state: string;
            /** Format: int64 */
            tries: number;
            why: string | null;
        };
        AttachedView: {
            kind: string;
            media: string | null;
        };
        AttributeValue: string | boolean | number | null;
        AudienceView: {
            audience: string;
            name: components["schemas"]["NamesView"];
            rule: string | null;
            since: string;
        };
        AuditVerdict: {
            broken: string | null;
            end: string | null;
            holds: boolean;
        };
        AuditView: {
            at: string;
            detail: unknown;
            hash: string;
            /** Format: int64 */
            no: number;
            operation: string;
            outcome: string;
            role: string;
            target: string;
            who: string;
        };
        Behaviour: "assumed_unchanged";
        BookView: {
            closed_at: string | null;
            closed_by: string | null;
            coupons: components["schemas"]["CouponLineView"][] | null;
            currency: string;
            hash: string | null;
            lines: components["schemas"]["LineView"][];
            month: string;
            start: string;
            state: string;
            until: string;
            worth: components["schemas"]["WorthView"] | null;
        };
        Both: {
            en: string;
            zh: string;
        };
        BrandTier: {
            benefits: components["schemas"]["NamesView"][];
            /** Format: int64 */
            from: number;
            name: components["schemas"]["NamesView"];
            tier: string;
        };
        BrandView: {
            currency: string;
            /** Format: uint32 */
            exponent: number;
            languages: string[];
            name: components["schemas"]["NamesView"] | null;
            points: components["schemas"]["NamesView"];
            tiers: components["schemas"]["BrandTier"][];
            timezone: string;
        };
        BreakdownView: {
            as_of: string;
            by: string;
            /** Format: uint64 */
            count: number;
            values: components["schemas"]["ValueView"][];
        };
        By: "member" | "staff";
        ByProvider: {
            name: components["schemas"]["NamesView"];
            start: string;
        };
        Called: {
            namespace?: string | null;
            value: string;
        };
        CameBackView: {
            did: string;
            kind: string;
            send: string | null;
            status: string | null;
        };
        CampaignsListed: {
            items: components["schemas"]["CampaignView"][];
        };
        CampaignSum: {
            /** Format: int64 */
            began: number;
            /** Format: int64 */
            coupons_issued: number;
            /** Format: int64 */
            coupons_used: number;
            /** Format: int64 */
            held_out: number;
            /** Format: int64 */
            not_sent: number;
            /** Format: int64 */
            points: number;
            /** Format: int64 */
            sent: number;
            /** Format: int64 */
            taken_off: number;
        };
        CampaignTold: {
            behaviour: components["schemas"]["Behaviour"];
            campaign: string;
            changed: components["schemas"]["CampaignSum"];
            live: components["schemas"]["CampaignSum"];
            name: {
                [key: string]: string;
            };
        };
        CampaignView: {
            /** Format: int64 */
            budget_minor: number | null;
            campaign: string;
            /** Format: int64 */
            cost_minor: number | null;
            counts: {
                [key: string]: number;
            };
            /** Format: uint32 */
            holdout: number;
            name: string;
            on: string;
            purpose: string;
            sending: {
                [key: string]: components["schemas"]["SpentView"];
            };
            state: string;
            /** Format: uint */
            steps: number;
        };
        CartFacts: {
            channel?: string | null;
            codes?: string[];
            coupons?: string[] | null;
            currency?: string | null;
            exchange?: {
                [key: string]: number;
            };
            lines: components["schemas"]["CartLine"][];
            payment?: string | null;
            region?: string | null;
            /**
             * Format: int64
             * @default 0
             */
            shipping: number;
            store?: string | null;
            timezone?: string | null;
        };
        CartLine: {
            brand?: string | null;
            category?: string | null;
            department?: string | null;
            /** Format: int64 */
            floor?: number | null;
            id?: string | null;
            /** Format: int64 */
            price: number;
            product: string;
            properties?: {
                [key: string]: unknown;
            };
            /** Format: uint32 */
            quantity: number;
            zone?: string | null;
        };
        Changed: {
            /** Format: uint */
            added: number;
            /** Format: uint */
            changed: number;
            /** Format: uint */
            unchanged: number;
        };
        Changed2: {
            added: string[];
            /** Format: int64 */
            payable_after: number;
            /** Format: int64 */
            payable_before: number;
            removed: string[];
        };
        ChannelChecked: {
            account: string;
            channel: string;
            steps: components["schemas"]["StepView"][];
            well: boolean;
        };
        ChannelCount: {
            channel: string;
            /** Format: int64 */
            n: number;
            state: string;
        };
        ChannelsListed: {
            items: components["schemas"]["ChannelView"][];
        };
        ChannelView: {
            account: string;
            callback: string | null;
            channel: string;
            messages: components["schemas"]["ChannelCount"][];
            sends: boolean;
            tested: boolean;
            whose: string | null;
        };
        Checked: {
            hash: string | null;
            id: string | null;
            problems: components["schemas"]["PlaybookProblem"][];
        };
        CheckoutDone: {
            again: boolean;
            applied: components["schemas"]["AppliedTold"][];
            at: string;
            /** Format: int64 */
            bound?: number | null;
            changed?: components["schemas"]["Changed2"] | null;
            checkout: string;
            currency: string;
            /** Format: int64 */
            discount: number;
            exact: boolean;
            id: string;
            lease?: string | null;
            lines: components["schemas"]["LineTold"][];
            /** Format: int64 */
            list: number;
            member: string;
            /** Format: int64 */
            membership_saves?: number | null;
            mode: string;
            namespace?: string;
            not_applied: components["schemas"]["NotAppliedTold"][];
            order?: components["schemas"]["OrderNamed"] | null;
            paid?: unknown;
            /** Format: int64 */
            payable: number;
            points: components["schemas"]["Account"];
            /** Format: int64 */
            points_back: number;
            /** Format: int64 */
            points_spent: number;
            points_times: string;
            /** Format: int64 */
            refunded: number;
            returns?: components["schemas"]["ReturnDone"][];
            shipping: components["schemas"]["ShippingTold"];
            state: string;
            /** Format: int64 */
            total: number;
            transfers: components["schemas"]["Transfer"][];
            until?: string | null;
        };
        CheckoutQuoted: {
            applied: components["schemas"]["AppliedTold"][];
            /** Format: int64 */
            bound?: number | null;
            currency: string;
            /** Format: int64 */
            discount: number;
            exact: boolean;
            lines: components["schemas"]["LineTold"][];
            /** Format: int64 */
            list: number;
            member?: string | null;
            /** Format: int64 */
            membership_saves?: number | null;
            mode: string;
            not_applied: components["schemas"]["NotAppliedTold"][];
            paid?: unknown;
            /** Format: int64 */
            payable: number;
            /** Format: int64 */
            points_spent: number;
            points_times: string;
            shipping: components["schemas"]["ShippingTold"];
            /** Format: int64 */
            total: number;
        };
        CheckoutView: {
            applied: components["schemas"]["AppliedTold"][];
            at: string;
            /** Format: int64 */
            bound?: number | null;
            changed?: components["schemas"]["Changed2"] | null;
            checkout: string;
            currency: string;
            /** Format: int64 */
            discount: number;
            exact: boolean;
            id: string;
            lease?: string | null;
            lines: components["schemas"]["LineTold"][];
            /** Format: int64 */
            list: number;
            member: string;
            /** Format: int64 */
            membership_saves?: number | null;
            mode: string;
            namespace?: string;
            not_applied: components["schemas"]["NotAppliedTold"][];
            order?: components["schemas"]["OrderNamed"] | null;
            paid?: unknown;
            /** Format: int64 */
            payable: number;
            /** Format: int64 */
            points_back: number;
            /** Format: int64 */
            points_spent: number;
            points_times: string;
            /** Format: int64 */
            refunded: number;
            returns?: components["schemas"]["ReturnDone"][];
            shipping: components["schemas"]["ShippingTold"];
            state: string;
            /** Format: int64 */
            total: number;
            until?: string | null;
        };
        CheckView: {
            broken: string[];
            invariant: string;
        };
        Claimed: {
            again: boolean;
            codes: string[];
            member: string;
            points: components["schemas"]["Account"];
            tags: string[];
            tier: string | null;
            transfers: components["schemas"]["Transfer"][];
        };
        CodeCount: {
            code: string;
            /** Format: int64 */
            count: number;
        };
        CodePartView: {
            /** Format: int64 */
            codes: number;
            doubles: components["schemas"]["DoubleView"][];
            /** Format: int64 */
            known: number;
            /** Format: int64 */
            part: number;
            /** Format: int64 */
            twice: number;
        };
        CodeUploadsListed: {
            items: components["schemas"]["CodeUploadView"][];
        };
        CodeUploadView: {
            asked_at: string;
            asked_by: string;
            batch: string;
            /** Format: int64 */
            codes: number;
            doubles: components["schemas"]["DoubleView"][];
            /** Format: int64 */
            handed_out: number;
            /** Format: int64 */
            known: number;
            /** Format: int64 */
            left: number;
            offer: string;
            partner: string;
            /** Format: int64 */
            parts: number;
            state: string;
            /** Format: int64 */
            twice: number;
            valid_until: string | null;
            /** Format: int64 */
            withdrawn: number;
        };
        CohortView: {
            arms: components["schemas"]["ArmView"][];
            /** Format: uint64 */
            contaminated: number;
            from: string;
            measures: components["schemas"]["MeasureView"][];
            /** Format: uint64 */
            members: number;
            /** Format: double */
            sample_ratio: number;
            to: string;
        };
        CommandDone: {
            again: boolean;
            member: string;
            points: components["schemas"]["Account"];
            tags: string[];
            tier: string | null;
            transfers: components["schemas"]["Transfer"][];
        };
        ConsentPurpose: {
            channels: components["schemas"]["PurposeChannel"][];
            name: components["schemas"]["NamesView"];
            needed: boolean;
            purpose: string;
            text: components["schemas"]["NamesView"] | null;
            version: string | null;
        };
        ConsentPurposes: {
            items: components["schemas"]["ConsentPurpose"][];
        };
        ConsentSaid: {
            at: string;
            channel: string;
            given: boolean;
            guardian: string | null;
            purpose: string;
            source: string | null;
            version: string | null;
        };
        ConsentView: {
            allowed: boolean;
            channel: string;
            purpose: string;
            since: string | null;
            until: string | null;
            why: string;
        };
        ContactView: {
            account: string;
            channel: string;
            ended_by: string | null;
            since: string;
            state: string;
            tags: string[];
            until: string | null;
            way: string | null;
        };
        ConversationView: {
            assignee: string | null;
            cannot_reply: string | null;
            complaint: string | null;
            conversation: string;
            desks: components["schemas"]["DeskView"][];
            last: components["schemas"]["LastView"] | null;
            member: string | null;
            name: string | null;
            persona: string;
            /** Format: uint64 */
            replies_left: number;
            reply_until: string | null;
            since: string;
            state: components["schemas"]["TalkState"];
            trouble: string | null;
            /** Format: uint64 */
            unread: number;
        };
        ConversationWhole: {
            conversation: components["schemas"]["ConversationView"];
            messages: components["schemas"]["Page10"];
        };
        CostView: {
            /** Format: int64 */
            coupons: number;
            margin: components["schemas"]["IntervalView"] | null;
            net: components["schemas"]["IntervalView"] | null;
            /** Format: int64 */
            points: number | null;
            says: components["schemas"]["Said"];
            /** Format: int64 */
            sends: number;
        };
        CountView: {
            as_of: string;
            /** Format: uint64 */
            count: number;
            took_ms: components["schemas"]["Took"];
        };
        CouponLineView: {
            by: string;
            /** Format: int64 */
            closing: number;
            /** Format: int64 */
            expired: number;
            /** Format: int64 */
            given_back: number;
            /** Format: int64 */
            given_minor: number;
            /** Format: int64 */
            issued: number;
            /** Format: int64 */
            liability_minor: number | null;
            /** Format: int64 */
            moved: number;
            of: string | null;
            offer: string;
            /** Format: int64 */
            opening: number;
            /** Format: int64 */
            redeemed: number;
            /** Format: int64 */
            withdrawn: number;
        };
        CouponMoveView: {
            at: string;
            kind: string;
            /** Format: int64 */
            version: number;
        };
        CouponsListed: {
            items: components["schemas"]["CouponView"][];
        };
        CouponView: {
            code: string;
            id: string;
            issued_at: string;
            member: string;
            offer: string;
            partner_code: string | null;
            state: string;
            valid_from: string;
            valid_until: string | null;
        };
        CouponWhole: {
            code: string;
            id: string;
            issued_at: string;
            member: string;
            moves: components["schemas"]["CouponMoveView"][];
            offer: string;
            partner_code: string | null;
            state: string;
            terms: unknown;
            valid_from: string;
            valid_until: string | null;
        };
        DeadLetterView: {
            at: string;
            code: string;
            event: string;
            field: string;
            given_up_at: string;
            message: string | null;
            message_id: string | null;
            /** Format: int64 */
            seq: number;
            source: string;
        };
        Delivered: {
            results?: components["schemas"]["ItemResult"][] | null;
            /** Format: uint8 */
            status: number;
            success: boolean;
        };
        DependantView: {
            birthday: string | null;
            due_on: string | null;
            gender: string | null;
            kind: string;
            name: string | null;
        };
        DeskView: {
            account: string;
            channel: string;
            desk: string;
            name: string | null;
            session: string | null;
            spoke: string;
        };
        Did: {
            at: string;
            operation: string;
            role: string;
            who: string;
        };
        Differences: {
            items: components["schemas"]["DifferenceView"][];
        };
        DifferenceView: {
            en: string;
            id: string;
            kind: string;
            /** Format: uint64 */
            members: number;
            zh: string;
        };
        Digest: {
            digest: string;
        };
        DiscountTold: {
            /** Format: int64 */
            amount: number;
            offer: string;
        };
        DoctorView: {
            checks: components["schemas"]["CheckView"][];
            sealed: boolean;
            well: boolean;
        };
        DoubleView: {
            /** Format: uint64 */
            line: number;
            /** Format: int64 */
            part: number;
            upload: string;
        };
        Drawn: "svg" | "png";
        DrawsListed: {
            items: components["schemas"]["DrawView"][];
        };
        DrawView: {
            /** Format: uint64 */
            chances: number;
            closed_at: string | null;
            commitment: string | null;
            draw: string;
            drawn_at: string | null;
            /** Format: uint64 */
            entries: number | null;
            entries_hash: string | null;
            given: components["schemas"]["GivenView"][];
            opened_at: string | null;
            /** Format: uint64 */
            prizes: number;
            public_source: string | null;
            public_value: string | null;
            state: string;
        };
        DuplicateView: {
            decided_at: string | null;
            decided_by: string | null;
            evidence: components["schemas"]["EvidenceView"][];
            found_at: string;
            /** Format: int64 */
            number: number;
            one: string;
            other: string;
            rival: string;
            /** Format: int32 */
            score_ppm: number;
            state: string;
        };
        EffectView: {
            arms: components["schemas"]["ArmView"][];
            as_of: string;
            campaign: string;
            cohorts: components["schemas"]["CohortView"][];
            /** Format: uint64 */
            contaminated: number;
            cost: components["schemas"]["CostView"] | null;
            currency: string;
            experiments: components["schemas"]["ExperimentView"][];
            measures: components["schemas"]["MeasureView"][];
            /** Format: uint64 */
            members: number;
            name: string;
            notes: components["schemas"]["Said"][];
            /** Format: double */
            sample_ratio: number;
        };
        Ended: {
            /** Format: uint */
            ended: number;
        };
        Erased: {
            member: string;
        };
        EvidenceView: {
            agrees: string;
            /** Format: double */
            bits: number;
            field: string;
            /** Format: uint32 */
            shared_by: number | null;
        };
        ExactlyView: {
            audiences: number[];
            /** Format: uint64 */
            count: number;
        };
        Expected: {
            /** @default [] */
            coupons: string[];
            member: components["schemas"]["MemberRef"];
        };
        ExperimentView: {
            arms: components["schemas"]["ArmView"][];
            /** Format: uint64 */
            contaminated: number;
            measures: components["schemas"]["MeasureView"][];
            place: string;
            /** Format: double */
            sample_ratio: number;
        };
        ExpiryView: {
            at: string;
            /** Format: int64 */
            points: number;
        };
        ExplainView: {
            as_of: string;
            /** Format: uint64 */
            count: number;
            steps: components["schemas"]["StepView2"][];
            took_ms: components["schemas"]["Took"];
        };
        Forgotten: {
            erased: boolean;
        };
        GivenTold: {
            gift: {
                /** Format: uint32 */
                pieces: number;
                product: string;
            };
        } | {
            /** Format: int64 */
            shipping: number;
        } | {
            points_times: string;
        } | {
            service: components["schemas"]["Both"];
        } | {
            coupon: string;
        } | "access";
        GivenUpView: {
            at: string;
            namespace: string;
            why: string;
        };
        GivenView: {
            entry: string;
            instead_of: string | null;
            prize: string;
        };
        Grouping: "all" | "tier" | "lifecycle" | "audience";
        GroupTold: {
            behaviour: components["schemas"]["Behaviour"];
            by: components["schemas"]["Grouping"];
            /** Format: int64 */
            gain: number;
            group: string;
            /** Format: int64 */
            lose: number;
            /** Format: int64 */
            members: number;
            /** Format: int64 */
            money_gain: number;
            /** Format: int64 */
            money_lose: number;
            /** Format: int64 */
            points: number;
        };
        GroupView: {
            channel: string;
            group: string;
            how: string | null;
            since: string;
            until: string | null;
        };
        HalfOf: {
            /** Format: int64 */
            debt: number;
            /** Format: uint */
            events: number;
            /** Format: int64 */
            growth: number;
            /** Format: uint */
            orders: number;
            /** Format: int64 */
            points: number;
            stage: string | null;
            tier: string | null;
        };
        Halves: {
            leaves: components["schemas"]["HalfOf"];
            stays: components["schemas"]["HalfOf"];
        };
        HoldView: {
            /** Format: int64 */
            amount: number;
            asset: string;
            id: string;
        };
        Hooks: {
            items: components["schemas"]["HookView"][];
        };
        HookView: {
            allow_private: boolean;
            description: string;
            failing_since: string | null;
            id: string;
            identifiers: boolean;
            made_at: string;
            made_by: string;
            paused_at: string | null;
            paused_because: string | null;
            rest_until: string | null;
            types: string[];
            url: string;
            /** Format: int64 */
            waiting: number;
        };
        IdentifierRef: {
            namespace: string;
            value: string;
        };
        IdentifierView: {
            namespace: string;
            value: string;
        };
        InAudienceView: {
            id: string;
            lifecycle: string | null;
            name: string | null;
            /** Format: int64 */
            points: number;
            store: string | null;
            tier: string | null;
        };
        InboxCounts: {
            /** Format: int64 */
            answered: number;
            /** Format: int64 */
            closed: number;
            /** Format: int64 */
            open: number;
            /** Format: int64 */
            unread: number;
        };
        InboxPage: {
            counts: components["schemas"]["InboxCounts"] | null;
            items: components["schemas"]["ConversationView"][];
            next: string | null;
        };
        IngestHealth: {
            dead_letter_codes: components["schemas"]["CodeCount"][];
            /** Format: int64 */
            dead_letters: number;
            feed: components["schemas"]["LagView"][];
            now: string;
            oldest: string | null;
            /** Format: int64 */
            oldest_seconds: number;
            /** Format: int64 */
            queued: number;
            rates: components["schemas"]["RateView"][];
            replicas: components["schemas"]["LagView"][];
            shares: components["schemas"]["ShareView"][];
            sources: components["schemas"]["SourceView"][];
            /** Format: int64 */
            waiting: number;
        };
        IntervalView: {
            /** Format: double */
            at: number;
            /** Format: double */
            high: number;
            /** Format: double */
            low: number;
            /** Format: double */
            p_value: number;
        };
        IssuesListed: {
            items: components["schemas"]["IssueView"][];
        };
        IssueView: {
            /** Format: int64 */
            approval: number | null;
            asked_at: string;
            asked_by: string;
            audience: string;
            batch: string;
            /** Format: int64 */
            issued: number;
            /** Format: int64 */
            members: number | null;
            not_issued: {
                [key: string]: number;
            };
            /** Format: int64 */
            number: number;
            offer: string;
            state: string;
        };
        ItemResult: {
            code?: string | null;
            field?: string | null;
            /** Format: uint8 */
            given_up?: number;
            /** Format: uint */
            index: number;
            message?: string | null;
            messageId?: string | null;
            verdict: string;
        };
        KeepView: {
            by: string;
            /** Format: int64 */
            growth_missing: number;
            /** Format: int64 */
            growth_needed: number;
        };
        Keys: {
            items: components["schemas"]["KeyView"][];
        };
        KeyView: {
            expires_at: string | null;
            id: string;
            made_at: string;
            made_by: string;
            name: string;
            only: string[] | null;
            place: string | null;
            revoked_at: string | null;
            role: string;
            staff: string | null;
        };
        Kind: "order" | "points" | "tier" | "lifecycle" | "tag" | "audience" | "consent" | "identity" | "timer" | "other";
        KnownView: {
            kind: string;
            /** Format: int64 */
            n: number;
        };
        LagView: {
            /** Format: int64 */
            behind: number;
            who: string;
        };
        LapseView: {
            day: string;
            /** Format: int64 */
            growth: number;
        };
        LastView: {
            at: string;
            by: components["schemas"]["By"];
            words: string | null;
        };
        LeasedView: {
            /** Format: int64 */
            leased: number;
            /** Format: int64 */
            left: number;
            of: string;
            offer: string;
        };
        Leases: {
            items: components["schemas"]["LeaseView"][];
        };
        LeaseView: {
            back_at: string;
            ended_at?: string | null;
            from: string;
            lease: string;
            /** Format: uint */
            members: number;
            offers: components["schemas"]["LeasedView"][];
            /** Format: int64 */
            playbook: number;
            /** Format: uint */
            refused?: number | null;
            state: string;
            store: string;
            till: string;
            until: string;
            /** Format: uint */
            waiting?: number | null;
        };
        LevelAhead: {
            /** Format: int64 */
            growth_missing: number;
            /** Format: int64 */
            growth_needed: number;
            level: string;
            name: components["schemas"]["NamesView"];
        };
        LifecycleView: {
            name: components["schemas"]["NamesView"];
            rule: string | null;
            since: string;
            stage: string;
        };
        LineBack: {
            id: string;
            /** Format: int64 */
            paid: number;
            /** Format: uint32 */
            pieces: number;
        };
        LineTold: {
            discounts: components["schemas"]["DiscountTold"][];
            id: string;
            /** Format: int64 */
            list: number;
            not_yet_for?: string[];
            /** Format: int64 */
            payable: number;
            /** Format: uint32 */
            quantity: number;
        };
        LineView: {
            /** Format: int64 */
            adjusted: number;
            asset: string;
            by: string;
            /** Format: int64 */
            closing: number;
            /** Format: int64 */
            earned: number;
            /** Format: int64 */
            expired: number;
            /** Format: int64 */
            liability_minor: number | null;
            /** Format: int64 */
            moved: number;
            of: string | null;
            /** Format: int64 */
            opening: number;
            /** Format: int64 */
            reversed: number;
            /** Format: int64 */
            spent: number;
            /** Format: int64 */
            taken_over: number;
        };
        LinksListed: {
            items: components["schemas"]["LinkView"][];
        };
        LinkView: {
            campaign: string | null;
            /** Format: int64 */
            clicks: number;
            code: string;
            made_at: string;
            member: string | null;
            message: string | null;
            page: string | null;
            scan_url: string;
            /** Format: int64 */
            scans: number;
            sharer: string | null;
            to: string | null;
            touchpoint: string | null;
            until: string | null;
            url: string;
        };
        ListsView: {
            items: components["schemas"]["ListView"][];
        };
        ListView: {
            as_of: string;
            changed_at: string;
            changed_by: string;
            made_at: string;
            /** Format: uint64 */
            members: number;
            name: string;
        };
        LotView: {
            active_at: string;
            expires_at: string | null;
            /** Format: int64 */
            granted: number;
            is_active: boolean;
            /** Format: int64 */
            remaining: number;
        };
        Made: {
            key: components["schemas"]["KeyView"];
            secret: string;
        };
        MadeToday: {
            account: string;
            /** Format: uint32 */
            adds: number;
        };
        Me: {
            attributes: {
                [key: string]: unknown;
            };
            card: string | null;
            /** Format: uint */
            coupons: number;
            id: string;
            joined_at: string | null;
            levels: components["schemas"]["MyLevel"][];
            name: string | null;
            /** Format: uint */
            offers: number;
            phone: string | null;
            points: components["schemas"]["MyAccount"];
            store: string | null;
            store_name: components["schemas"]["NamesView"] | null;
            tier: components["schemas"]["TierView"] | null;
        };
        Measure: {
            behaviour: components["schemas"]["Behaviour"];
            /** Format: int64 */
            changed: number;
            /** Format: int64 */
            difference: number;
            /** Format: int64 */
            live: number;
            measure: string;
            money: boolean;
        };
        MeasuredArm: {
            arm: string;
            /** Format: double */
            mean: number;
            /** Format: uint64 */
            members: number;
            /** Format: int64 */
            sum: number;
        };
        MeasureView: {
            control: components["schemas"]["MeasuredArm"];
            fixed: components["schemas"]["IntervalView"] | null;
            measure: string;
            relative: components["schemas"]["IntervalView"] | null;
            says: components["schemas"]["Said"];
            sequential: components["schemas"]["IntervalView"] | null;
            treated: components["schemas"]["MeasuredArm"];
            unit: string;
            /** Format: double */
            variance_left: number | null;
            verdict: string | null;
            /** Format: uint64 */
            waiting: number;
            /** Format: int64 */
            within_minutes: number;
        };
        MemberBrief: {
            enrolled_at: string | null;
            growth: components["schemas"]["Account"];
            id: string;
            name: string | null;
            points: components["schemas"]["Account"];
            stage: string | null;
            tags: string[];
            tier: string | null;
        };
        MemberDraw: {
            /** Format: uint64 */
            alternate: number | null;
            /** Format: uint64 */
            chances: number;
            draw: string;
            entry: string;
            fate: string | null;
            prize: string | null;
            state: string;
        };
        MemberDraws: {
            items: components["schemas"]["MemberDraw"][];
        };
        MemberListed: {
            advisor: string | null;
            enrolled_at: string | null;
            id: string;
            identifiers: components["schemas"]["IdentifierView"][];
            known_since: string;
            lifecycle: string | null;
            name: string | null;
            /** Format: int64 */
            points: number;
            store: string | null;
            tags: string[];
            tier: string | null;
        };
        MemberRef: {
            id?: string | null;
            namespace?: string | null;
            value?: string | null;
        };
        MembersTold: {
            /** Format: int64 */
            erased: number;
            /** Format: int64 */
            factor_thousandths: number;
            /** Format: int64 */
            joined: number;
            /** Format: int64 */
            replayed: number;
            sample: boolean;
        };
        MembersView: {
            as_of: string;
            /** Format: uint64 */
            count: number;
            members: string[];
            /** Format: uint64 */
            nameless: number;
            past: boolean;
        };
        MemberView: {
            accounts: components["schemas"]["AccountView"][];
            advisor: string | null;
            attributes: {
                [key: string]: unknown;
            };
            audiences: components["schemas"]["AudienceView"][];
            consents: components["schemas"]["ConsentView"][];
            consents_said: components["schemas"]["ConsentSaid"][];
            contacts: components["schemas"]["ContactView"][];
            dependants: components["schemas"]["DependantView"][];
            enrolled_at: string | null;
            expiries: components["schemas"]["ExpiryView"][];
            given_up: components["schemas"]["GivenUpView"][];
            groups: components["schemas"]["GroupView"][];
            holds: components["schemas"]["HoldView"][];
            id: string;
            identifiers: components["schemas"]["IdentifierView"][];
            known_since: string;
            lifecycle: components["schemas"]["LifecycleView"] | null;
            lots: components["schemas"]["LotView"][];
            merged_from: components["schemas"]["AliasView"][];
            moves: components["schemas"]["MoveView"][];
            name: string | null;
            orders: components["schemas"]["OrdersSum"];
            refusals: components["schemas"]["RefusalView"][];
            store: string | null;
            tags: components["schemas"]["TagView"][];
            terms: components["schemas"]["TermView"][];
            tier: components["schemas"]["TierView"] | null;
            touches: components["schemas"]["TouchesView"];
        };
        Messages: {
            items: components["schemas"]["MessageView"][];
            next: string | null;
        };
        MessageView: {
            /** Format: int64 */
            attempts: number;
            error: string | null;
            happened_at: string;
            id: string;
            made_at: string;
            next_at: string | null;
            state: string;
            /** Format: int64 */
            status: number | null;
            tried_at: string | null;
            type: string;
        };
        MissingTold: {
            /** Format: int64 */
            money: number;
        } | {
            /** Format: uint64 */
            pieces: number;
        } | {
            /** Format: int64 */
            points: number;
        };
        MonthTold: {
            measures: components["schemas"]["Measure"][];
            month: string;
        };
        MoveView: {
            at: string;
            from: string | null;
            to: string;
        };
        MyAccount: {
            /** Format: int64 */
            debt: number;
            expiries: components["schemas"]["ExpiryView"][];
            /** Format: int64 */
            held: number;
            /** Format: int64 */
            pending: number;
            /** Format: int64 */
            shown: number;
        };
        MyClaimed: {
            codes: string[];
            /** Format: int64 */
            points: number;
        };
        MyConsentChannel: {
            allowed: boolean;
            channel: string;
            name: components["schemas"]["NamesView"];
            since: string | null;
        };
        MyConsents: {
            purposes: components["schemas"]["MyPurpose"][];
        };
        MyCoupon: {
            about: components["schemas"]["NamesView"];
            code: string;
            id: string;
            name: components["schemas"]["NamesView"];
            offer: string;
            partner_code: string | null;
            state: string;
            usable: boolean;
            valid_from: string;
            valid_until: string | null;
            why: string | null;
        };
        MyCoupons: {
            items: components["schemas"]["MyCoupon"][];
        };
        MyDraw: {
            /** Format: uint64 */
            alternate: number | null;
            /** Format: uint64 */
            chances: number;
            draw: string;
            entry: string;
            fate: string | null;
            name: components["schemas"]["NamesView"];
            prize: string | null;
            state: string;
        };
        MyDraws: {
            items: components["schemas"]["MyDraw"][];
        };
        MyEnded: {
            /** Format: uint */
            ended: number;
        };
        MyLevel: {
            benefits: components["schemas"]["NamesView"][];
            /** Format: int64 */
            from: number;
            level: string;
            name: components["schemas"]["NamesView"];
        };
        MyOffer: {
            about: components["schemas"]["NamesView"];
            closes: string | null;
            /** Format: int64 */
            left: number | null;
            /** Format: int64 */
            missing: number | null;
            name: components["schemas"]["NamesView"];
            offer: string;
            opens: string | null;
            /** Format: int64 */
            points: number;
            state: string;
        };
        MyOffers: {
            items: components["schemas"]["MyOffer"][];
        };
        MyPayout: {
            /** Format: int64 */
            amount_minor: number;
            at: string;
            confirm: components["schemas"]["PayoutConfirm"] | null;
            currency: string;
            payout: string;
            remark: string;
            state: string;
        };
        MyPayouts: {
            items: components["schemas"]["MyPayout"][];
        };
        MyPoints: {
            at: string;
            event: string;
            kind: string;
            /** Format: int64 */
            points: number;
        };
        MyPurpose: {
            channels: components["schemas"]["MyConsentChannel"][];
            name: components["schemas"]["NamesView"];
            needed: boolean;
            purpose: string;
            text: components["schemas"]["NamesView"] | null;
            version: string | null;
        };
        MySession: {
            csrf: string;
            expires_at: string;
            fresh_until: string;
            joined: boolean;
        };
        NameGivenUp: {
            at: string;
            member: string | null;
            message_id: string | null;
            namespace: string;
            /** Format: int64 */
            seq: number;
            source: string;
            why: string;
        };
        NamesView: {
            en?: string | null;
            zh?: string | null;
        };
        Needed: {
            needed: boolean;
        };
        NotAppliedTold: {
            instead?: string | null;
            missing?: components["schemas"]["MissingTold"] | null;
            name: components["schemas"]["Both"];
            offer: string;
            reason: string;
            words: components["schemas"]["Both"];
        };
        NotesListed: {
            items: components["schemas"]["NoteView"][];
        };
        NoteView: {
            at: string;
            campaign: string;
            channel: string;
            id: string;
            member: string;
            message: string;
            persona: string | null;
            state: string;
            text: string;
        };
        Of2: {
            /** Format: int64 */
            money?: number | null;
            /** Format: int64 */
            pieces?: number | null;
            /** Format: int64 */
            uses?: number | null;
        };
        Offered: {
            recovery_codes: string[];
            secret: string;
            uri: string;
        };
        OfferSum: {
            /** Format: int64 */
            coupons_expired: number;
            /** Format: int64 */
            coupons_given: number;
            /** Format: int64 */
            coupons_held: number;
            /** Format: int64 */
            coupons_used: number;
            /** Format: int64 */
            gifts: number;
            /** Format: int64 */
            members: number;
            /** Format: int64 */
            off: number;
            /** Format: int64 */
            off_back: number;
            /** Format: int64 */
            points: number;
            /** Format: int64 */
            services: number;
            /** Format: int64 */
            shipping_off: number;
            /** Format: int64 */
            uses: number;
        };
        OfferTold: {
            behaviour: components["schemas"]["Behaviour"];
            changed: components["schemas"]["OfferSum"];
            /** Format: int64 */
            cost_difference: number;
            live: components["schemas"]["OfferSum"];
            name: {
                [key: string]: string;
            };
            offer: string;
        };
        Oneself: {
            id: string;
            language: string;
            name: string;
            place: string | null;
            staff: string | null;
        };
        OneView: {
            audience: components["schemas"]["SavedAudience"];
            now: components["schemas"]["CountView"] | null;
            /** Format: uint64 */
            standing: number | null;
            standing_as_of: string | null;
        };
        OrderLineView: {
            amount: string | null;
            category: string | null;
            department: string | null;
            name: string | null;
            product: string;
            quantity: string;
            /** Format: int64 */
            returned_thousandths: number;
        };
        OrderNamed: {
            namespace?: string;
            number: string;
        };
        OrderRef: {
            namespace?: string | null;
            number: string;
        };
        OrdersSum: {
            /** Format: int64 */
            count: number;
            currency: string;
            /** Format: int64 */
            paid_minor: number;
        };
        OrderView: {
            at: string;
            channel: string | null;
            counts: boolean;
            currency: string;
            /** Format: int64 */
            growth: number;
            id: string;
            lines: components["schemas"]["OrderLineView"][] | null;
            method: string | null;
            number: string | null;
            /** Format: int64 */
            paid_minor: number;
            /** Format: int64 */
            points: number;
            /** Format: int64 */
            refunded_minor: number;
            status: string;
            store: string | null;
            store_name: components["schemas"]["NamesView"] | null;
        };
        OverlapView: {
            as_of: string;
            counts: number[];
            exactly: components["schemas"]["ExactlyView"][];
        };
        Page: {
            items: components["schemas"]["MemberListed"][];
            next: string | null;
        };
        Page2: {
            items: components["schemas"]["TimelineEntry"][];
            next: string | null;
        };
        Page3: {
            items: components["schemas"]["OrderView"][];
            next: string | null;
        };
        Page4: {
            items: components["schemas"]["LotView"][];
            next: string | null;
        };
        Page5: {
            items: components["schemas"]["DuplicateView"][];
            next: string | null;
        };
        Page6: {
            items: components["schemas"]["DeadLetterView"][];
            next: string | null;
        };
        Page7: {
            items: components["schemas"]["NameGivenUp"][];
            next: string | null;
        };
        Page8: {
            items: components["schemas"]["AuditView"][];
            next: string | null;
        };
        Page9: {
            items: components["schemas"]["InAudienceView"][];
            next: string | null;
        };
        Page10: {
            items: components["schemas"]["WordView"][];
            next: string | null;
        };
        PassView: {
            pass: string;
            until: string;
        };
        PayoutConfirm: {
            appid: string;
            mchid: string;
            package: string;
            sub_mchid: string | null;
        };
        PayoutsPage: {
            items: components["schemas"]["PayoutView"][];
            next: string | null;
        };
        PayoutView: {
            account: string;
            /** Format: int64 */
            amount_minor: number;
            /** Format: int64 */
            approval: number | null;
            asked_at: string;
            asked_by: string | null;
            cancel: boolean;
            currency: string;
            may_cancel: boolean;
            member: string | null;
            payout: string;
            platform_number: string | null;
            reason: string | null;
            remark: string;
            state: string;
            why: string | null;
        };
        PeopleView: {
            items: components["schemas"]["PersonView"][];
        };
        PersonView: {
            id: string;
            language: string;
            made_at: string;
            made_by: string;
            name: string;
            oidc: boolean;
            password: boolean;
            place: string | null;
            role: string;
            staff: string | null;
            totp: boolean;
        };
        Pieces: {
            id: string;
            /** Format: uint32 */
            pieces: number;
        };
        PlaceChangeView: {
            at: string;
            by: string;
            was: {
                [key: string]: string;
            } | null;
        };
        PlacesView: {
            as_of: string;
            places: components["schemas"]["PlaceView"][];
        };
        PlaceView: {
            closed_on: string | null;
            code: string;
            datum: string | null;
            format: string | null;
            hours: string | null;
            kind: string;
            lat: number | null;
            /** Format: uint */
            level: number;
            lon: number | null;
            name: components["schemas"]["NamesView"];
            opens_on: string | null;
            parent: string | null;
            /** Format: uint */
            staff: number;
            zone: string;
        };
        PlaceWholeView: {
            closed_on: string | null;
            code: string;
            datum: string | null;
            format: string | null;
            history: components["schemas"]["PlaceChangeView"][];
            hours: string | null;
            is_open: boolean | null;
            kind: string;
            lat: number | null;
            /** Format: uint */
            level: number;
            lon: number | null;
            name: components["schemas"]["NamesView"];
            opens_on: string | null;
            parent: string | null;
            path: string[];
            /** Format: uint */
            staff: number;
            staff_codes: components["schemas"]["StaffView"][];
            zone: string;
        };
        PlatformsListed: {
            items: components["schemas"]["PlatformView"][];
        };
        PlatformView: {
            account: string;
            /** Format: int64 */
            age_seconds: number | null;
            began: string | null;
            channel: string;
            /** Format: uint32 */
            failed: number;
            known: components["schemas"]["KnownView"][];
            looked_from: string | null;
            looked_until: string | null;
            next_look: string | null;
            /** Format: uint */
            staff: number;
            stage: string;
            why: string | null;
        };
        PlaybookProblem: {
            allowed: string | null;
            /** Format: uint */
            column: number;
            /** Format: uint */
            line: number;
            message: string;
            path: string;
        };
        Playbooks: {
            items: components["schemas"]["PlaybookView"][];
        };
        PlaybookView: {
            applied_at: string;
            hash: string;
            id: string;
            live: boolean;
            source: string | null;
            /** Format: int64 */
            version: number;
        };
        PointsView: {
            items: components["schemas"]["MyPoints"][];
            lots: components["schemas"]["LotView"][];
            next: string | null;
        };
        PostCard: {
            title: string;
            url: string;
        };
        PostGroups: {
            /** @default [] */
            groups: string[];
            named?: string | null;
            /** @default [] */
            owners: string[];
            /** @default [] */
            stores: string[];
            /** @default [] */
            touchpoints: string[];
        };
        PostMoment: {
            /** @default [] */
            accounts: string[];
            /** @default [] */
            tags: string[];
        };
        PostOfStaff: {
            account: string;
            groups: {
                [key: string]: number;
            };
            state: string;
        };
        PostsListed: {
            items: components["schemas"]["PostView"][];
        };
        PostView: {
            account: string;
            /** Format: int64 */
            approval: number | null;
            asked_at: string;
            asked_by: string;
            batch: string;
            into: string;
            staff: components["schemas"]["PostOfStaff"][];
            state: string;
            text: string;
            why: string | null;
        };
        Problem: {
            /** Format: int64 */
            approval?: number | null;
            code: string;
            detail?: string | null;
            field?: string | null;
            /** Format: uint16 */
            status: number;
            title: string;
            type: string;
        };
        PurposeChannel: {
            channel: string;
            name: components["schemas"]["NamesView"];
        };
        RankedView: {
            member: string;
            value: string;
        };
        RateView: {
            /** Format: uint64 */
            accepted: number;
            /** Format: uint64 */
            decided: number;
            /** Format: int64 */
            minutes: number;
        };
        Reconciled: {
            as_of: string | null;
            /** Format: uint64 */
            differences: number;
            /** Format: uint64 */
            healing: number;
            /** Format: uint64 */
            looked: number;
            whole_at: string | null;
        };
        RefusalView: {
            at: string;
            code: string;
            event: string;
            field: string;
            /** Format: int64 */
            seq: number;
            source: string;
        };
        Removed: {
            /** Format: uint64 */
            names: number;
            removed: string;
        };
        Removed2: {
            removed: string;
        };
        Replayed: {
            /** Format: uint */
            messages: number;
        };
        ReportView: {
            as_of: string;
            columns: string[];
            cut: string | null;
            past: boolean;
            rows: {
                [key: string]: unknown;
            }[];
        };
        Reproduced: {
            /** Format: int64 */
            compared: number;
            /** Format: int64 */
            equal: number;
        };
        Request: {
            answer_by: string;
            answered_at: string | null;
            answered_by: string | null;
            asked_at: string;
            asked_by: string;
            /** Format: int64 */
            no: number;
            operation: string;
            request: unknown;
            state: string;
        };
        Requests: {
            items: components["schemas"]["Request"][];
        };
        RetriedView: {
            more: boolean;
            /** Format: uint64 */
            put_back: number;
        };
        ReturnDone: {
            at: string;
            cause: string;
            lines: components["schemas"]["LineBack"][];
            /** Format: int64 */
            points: number;
            /** Format: int64 */
            refund: number;
            taken_back?: components["schemas"]["DiscountTold"][];
        };
        Revoked: {
            revoked: string;
        };
        Rolled: {
            draw: components["schemas"]["DrawView"];
            /** Format: uint */
            rolled: number;
        };
        RunMoveView: {
            at: string;
            campaign: string;
            kind: string;
            place: string;
            run: string;
            /** Format: int64 */
            version: number;
            why: string;
        };
        RunsView: {
            moves: components["schemas"]["RunMoveView"][];
            open: components["schemas"]["RunView"][];
        };
        RunView: {
            campaign: string;
            due: string | null;
            held_out: boolean;
            key: string;
            place: string;
            run: string;
            since: string;
        };
        Said: {
            en: string;
            zh: string;
        };
        SalesTold: {
            sales: components["schemas"]["SaleTold"][];
        };
        SaleTold: {
            checkout: string;
            code?: string | null;
            event?: string | null;
            field?: string | null;
            message?: string | null;
            state: string;
        };
        SavedAudience: {
            id: string;
            name: components["schemas"]["NamesView"];
            standing: boolean;
            who: string | null;
        };
        SavedView: {
            items: components["schemas"]["SavedAudience"][];
            reconciled: components["schemas"]["Reconciled"];
            standing: {
                [key: string]: number;
            };
            standing_as_of: string;
        };
        SavedView2: {
            at: string;
            by: string;
            may_change: boolean;
            mine: boolean;
            name: string;
            page: string;
            query: string;
            shared: boolean;
            view: string;
        };
        SavedViews: {
            items: components["schemas"]["SavedView2"][];
        };
        SeatsView: {
            accounts: components["schemas"]["AccountSeats"][];
            at: string | null;
            /** Format: uint */
            contacts: number;
            /** Format: uint64 */
            fee_a_year: number | null;
            /** Format: uint64 */
            free: number | null;
            of: string;
            /** Format: uint */
            seats: number | null;
            warn: boolean;
            why: string | null;
        };
        Seen: {
            items: components["schemas"]["Did"][];
            roles: components["schemas"]["Sees"][];
        };
        Sees: {
            name: components["schemas"]["NamesView"];
            role: string;
            shows: string;
            whom: string;
        };
        SendsListed: {
            items: components["schemas"]["SendView"][];
        };
        SendView: {
            arrived_at: string | null;
            at: string;
            /** Format: int64 */
            attempts: number;
            campaign: string;
            channel: string;
            cost: string | null;
            error: string | null;
            member: string;
            message: string;
            next: string | null;
            others: string[];
            /** Format: int64 */
            parts: number | null;
            receipt: string | null;
            send: string;
            state: string;
            tried_at: string | null;
        };
        Session: {
            csrf: string;
            expires_at: string;
            /** Format: int64 */
            idle_seconds: number;
            permissions: string[];
            person: components["schemas"]["Oneself"];
            roles: string[];
            totp: boolean;
        };
        Settled: {
            /** Format: int64 */
            number: number;
            state: string;
        };
        ShareView: {
            holder: string | null;
            oldest: string | null;
            /** Format: int32 */
            share: number;
            /** Format: int64 */
            waiting: number;
        };
        ShippingTold: {
            /** Format: int64 */
            discount: number;
            /** Format: int64 */
            list: number;
            /** Format: int64 */
            payable: number;
        };
        SignInWays: {
            oidc: components["schemas"]["ByProvider"] | null;
            password: boolean;
        };
        Simulated: {
            assumes: {
                [key: string]: string;
            };
            behaviour: components["schemas"]["Behaviour"];
            campaigns: components["schemas"]["CampaignTold"][];
            changes: {
                [key: string]: string;
            }[];
            charged: string[];
            currency: string;
            /** Format: int64 */
            discounted_in_the_record: number;
            from: string | null;
            groups: components["schemas"]["GroupTold"][];
            members: components["schemas"]["MembersTold"];
            months: components["schemas"]["MonthTold"][];
            notes: {
                [key: string]: string;
            }[];
            offers: components["schemas"]["OfferTold"][];
            reproduced: components["schemas"]["Reproduced"];
            tiers: components["schemas"]["TierShift"][];
            to: string;
            totals: components["schemas"]["Measure"][];
        };
        SimulationView: {
            began: string;
            /** Format: uint32 */
            done_thousandths: number;
            found: components["schemas"]["Simulated"] | null;
            id: string;
            state: string;
            why: string | null;
        };
        SnapshotFile: {
            body: string;
            key: string;
            signature: string;
            /** Format: uint32 */
            zhiyin_till_snapshot: number;
        };
        SourceView: {
            /** Format: int64 */
            items: number;
            last: string | null;
            source: string;
        };
        SpentView: {
            cost: string;
            /** Format: int64 */
            cost_ten_thousandths: number;
            /** Format: int64 */
            parts: number;
            /** Format: int64 */
            taken: number;
        };
        StaffView: {
            code: string;
            role: string;
            works: boolean;
        };
        StepView: {
            found: components["schemas"]["WordedView"];
            health: string;
            name: string;
            remedy: components["schemas"]["WordedView"] | null;
            title: components["schemas"]["WordedView"];
        };
        StepView2: {
            /** Format: uint64 */
            asked: number;
            by: string;
            /** Format: uint64 */
            held: number;
            /** Format: uint64 */
            rows: number | null;
            text: string;
            took_ms: components["schemas"]["Took"];
        };
        TagView: {
            by_rule: boolean;
            group: string | null;
            name: components["schemas"]["NamesView"];
            rule: string | null;
            since: string;
            tag: string;
            until: string | null;
        };
        TalkState: "unread" | "open" | "answered" | "closed";
        TermView: {
            ends: string;
            from: string;
            level: string;
        };
        Tested: {
            error: string | null;
            /** Format: uint16 */
            status: number | null;
            taken: boolean;
        };
        TextedView: {
            /** Format: uint64 */
            again_in: number;
            /** Format: int64 */
            good_for: number;
        };
        TierShift: {
            behaviour: components["schemas"]["Behaviour"];
            changed: string;
            live: string;
            /** Format: int64 */
            members: number;
        };
        TierView: {
            ends: string;
            from: string;
            /** Format: int64 */
            growth: number;
            keep: components["schemas"]["KeepView"] | null;
            lapses: components["schemas"]["LapseView"] | null;
            level: string;
            name: components["schemas"]["NamesView"];
            next: components["schemas"]["LevelAhead"] | null;
            /** Format: int32 */
            over_days: number;
        };
        TillKey: {
            key: string;
        };
        TimelineEntry: {
            at: string;
            change: {
                [key: string]: string;
            };
            event: string;
            id: string;
            kind: components["schemas"]["Kind"];
            source: string;
            transfers: components["schemas"]["TransferView"][];
        };
        ToldBy: "whole" | "week";
        /** Format: double */
        Took: number;
        TopView: {
            as_of: string;
            members: components["schemas"]["RankedView"][];
        };
        TouchesView: {
            first: components["schemas"]["TouchView"] | null;
            last: components["schemas"]["TouchView"] | null;
            taken_over: string | null;
        };
        TouchView: {
            at: string;
            name: components["schemas"]["NamesView"] | null;
            touchpoint: string;
        };
        Transfer: {
            /** Format: int64 */
            amount: number;
            asset: string;
            at: string;
            id: string;
            kind: string;
        };
        TransfersListed: {
            items: components["schemas"]["TransferView2"][];
        };
        TransferView: {
            /** Format: int64 */
            amount: number;
            asset: string;
            at: string;
            id: string;
            kind: string;
            /** Format: int64 */
            moved: number;
        };
        TransferView2: {
            account: string;
            /** Format: int64 */
            approval: number | null;
            asked_at: string;
            asked_by: string;
            customers: {
                [key: string]: number;
            };
            from: string;
            /** Format: uint */
            groups: number;
            groups_kept: {
                [key: string]: string;
            };
            has_left: boolean;
            kept_because: {
                [key: string]: number;
            };
            state: string;
            to: string;
            transfer: string;
            why: string | null;
        };
        TreeChanged: {
            dry_run: boolean;
            places: components["schemas"]["Changed"];
            staff: components["schemas"]["Changed"];
        };
        Unmasked: {
            field: string;
            member: string;
            values: unknown[];
        };
        Unmatched: {
            /** Format: uint64 */
            line: number;
            namespace: string | null;
            namespaces: string[];
            value: string;
            why: string;
        };
        Uploaded: {
            unmatched: components["schemas"]["Unmatched"][];
            upload: components["schemas"]["UploadView"];
        };
        UploadView: {
            /** Format: uint64 */
            added: number;
            /** Format: uint64 */
            ambiguous: number;
            as_of: string;
            /** Format: uint64 */
            lines: number;
            list: string;
            /** Format: uint64 */
            matched: number;
            /** Format: uint64 */
            members: number;
            /** Format: uint64 */
            removed: number;
            /** Format: uint64 */
            unknown: number;
        };
        ValueView: {
            /** Format: uint64 */
            count: number;
            value: string | null;
        };
        ViewDropped: {
            dropped: boolean;
        };
        WaysIn: {
            brand: components["schemas"]["NamesView"] | null;
            currency: string | null;
            /** Format: uint32 */
            exponent: number | null;
            timezone: string | null;
            ways: string[];
            wechat_url: string | null;
        };
        WaysListed: {
            items: components["schemas"]["WayView"][];
        };
        WayView: {
            account: string;
            leads_to: string;
            name: string;
            picture: string | null;
            state: string;
            to: string[];
            today: components["schemas"]["MadeToday"][];
            touchpoint: string;
            way: string | null;
            why: string | null;
        };
        WebhookKind: {
            about: components["schemas"]["NamesView"];
            kind: string;
        };
        WebhookKinds: {
            items: components["schemas"]["WebhookKind"][];
        };
        WhyPart: {
            against: string | null;
            /** Format: uint */
            depth: number;
            holds: boolean;
            kind: string;
            needs: string | null;
            text: string;
            turns_at: string | null;
            value: string | null;
        };
        WhyView: {
            as_of: string;
            holds: boolean;
            member: string;
            parts: components["schemas"]["WhyPart"][];
            turns_at: string | null;
        };
        WhyView2: {
            campaign: string;
            cannot_begin: string | null;
            held_out: boolean;
            moves: components["schemas"]["RunMoveView"][];
            now: components["schemas"]["WouldSend"][];
            open: components["schemas"]["RunView"][];
            state: string;
        };
        WithSecret: {
            secret: string;
            webhook: components["schemas"]["HookView"];
        };
        WordedView: {
            en: string;
            zh: string;
        };
        WordView: {
            at: string;
            attached: components["schemas"]["AttachedView"] | null;
            by: components["schemas"]["By"];
            cut: boolean;
            desk: string;
            masked: boolean;
            message: string;
            state: string;
            taken_back: boolean;
            text: string | null;
            who: string | null;
            why: string | null;
        };
        WorthView: {
            /** Format: int64 */
            minor: number;
            /** Format: int64 */
            points: number;
        };
        WouldSend: {
            channel: string;
            later: string | null;
            message: string;
            rails: [
                string,
                string
            ][];
            text: string;
            verdict: string;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    dittofeed_batch: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    batch: unknown[];
                    context?: unknown;
                    sentAt?: unknown;
                } & {
                    [key: string]: unknown;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Delivered"];
                };
            };
        };
    };
    jitsu_batch: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    batch: unknown[];
                    context?: unknown;
                    sentAt?: unknown;
                } & {
                    [key: string]: unknown;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Delivered"];
                };
            };
        };
    };
    posthog_batch: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    api_key?: unknown;
                    batch: unknown[];
                    sent_at?: unknown;
                } & {
                    [key: string]: unknown;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Delivered"];
                };
            };
        };
    };
    alias: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    anonymousId?: unknown;
                    context?: unknown;
                    event?: unknown;
                    messageId?: unknown;
                    previousId?: unknown;
                    properties?: unknown;
                    sentAt?: unknown;
                    timestamp?: unknown;
                    traits?: unknown;
                    type?: unknown;
                    userId?: unknown;
                } & {
                    [key: string]: unknown;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Delivered"];
                };
            };
        };
    };
    approvals_list: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Requests"];
                };
            };
        };
    };
    approvals_approve: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                no: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CommandDone"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    approvals_refuse: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                no: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Request"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    arrivals_list: {
        parameters: {
            query?: {
                before?: string;
                channel?: string;
                limit?: number;
                state?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ArrivalsListed"];
                };
            };
        };
    };
    arrivals_drop: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                arrival: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ArrivalView"];
                };
            };
        };
    };
    arrivals_retry: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                arrival: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ArrivalView"];
                };
            };
        };
    };
    audiences_saved: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SavedView"];
                };
            };
        };
    };
    audiences_one: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OneView"];
                };
            };
        };
    };
    audiences_breakdown: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    as_of?: string | null;
                    by: string;
                    condition: string;
                    step?: string | null;
                    /** Format: uint16 */
                    timeout_seconds?: number | null;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BreakdownView"];
                };
            };
        };
    };
    audiences_count: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    as_of?: string | null;
                    condition: string;
                    /** Format: uint16 */
                    timeout_seconds?: number | null;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CountView"];
                };
            };
        };
    };
    audiences_explain: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    as_of?: string | null;
                    condition: string;
                    /** Format: uint16 */
                    timeout_seconds?: number | null;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ExplainView"];
                };
            };
        };
    };
    audiences_export: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    as_of?: string | null;
                    condition: string;
                    format?: string | null;
                    namespace?: string | null;
                    /** Format: uint16 */
                    timeout_seconds?: number | null;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.apache.parquet": string;
                    "text/csv": string;
                };
            };
        };
    };
    audiences_members: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    as_of?: string | null;
                    condition: string;
                    cursor?: string | null;
                    /** Format: uint16 */
                    limit?: number | null;
                    /** Format: uint16 */
                    timeout_seconds?: number | null;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page9"];
                };
            };
        };
    };
    audiences_overlap: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    as_of?: string | null;
                    conditions: string[];
                    /** Format: uint16 */
                    timeout_seconds?: number | null;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OverlapView"];
                };
            };
        };
    };
    audiences_sample: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    as_of?: string | null;
                    condition: string;
                    namespace?: string | null;
                    /** Format: uint64 */
                    seed?: number | null;
                    /** Format: uint32 */
                    size?: number | null;
                    /** Format: uint16 */
                    timeout_seconds?: number | null;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MembersView"];
                };
            };
        };
    };
    audiences_top: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    as_of?: string | null;
                    by: string;
                    condition?: string | null;
                    /** Format: uint32 */
                    n: number;
                    namespace?: string | null;
                    /** Format: uint16 */
                    timeout_seconds?: number | null;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TopView"];
                };
            };
        };
    };
    audit_list: {
        parameters: {
            query?: {
                cursor?: string;
                limit?: number;
                since?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page8"];
                };
            };
        };
    };
    audit_verify: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditVerdict"];
                };
            };
        };
    };
    batch: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    batch: unknown[];
                    context?: unknown;
                    sentAt?: unknown;
                } & {
                    [key: string]: unknown;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Delivered"];
                };
            };
        };
    };
    books_close: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    month: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BookView"];
                };
            };
        };
    };
    brand_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BrandView"];
                };
            };
        };
    };
    campaigns_list: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CampaignsListed"];
                };
            };
        };
    };
    campaigns_read: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                campaign: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CampaignView"];
                };
            };
        };
    };
    campaigns_effect: {
        parameters: {
            query?: {
                as_of?: string;
                by?: components["schemas"]["ToldBy"];
                category?: string;
                margin?: string;
                send_cost?: number;
            };
            header?: never;
            path: {
                campaign: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EffectView"];
                };
            };
        };
    };
    campaigns_pause: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                campaign: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CampaignView"];
                };
            };
        };
    };
    campaigns_resume: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                campaign: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CampaignView"];
                };
            };
        };
    };
    campaigns_stop: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                campaign: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CampaignView"];
                };
            };
        };
    };
    channels_list: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChannelsListed"];
                };
            };
        };
    };
    channels_test: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                account: string;
                channel: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChannelChecked"];
                };
            };
        };
    };
    channels_email_bounces: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    message: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CameBackView"];
                };
            };
        };
    };
    checkout_read: {
        parameters: {
            query: {
                checkout: string;
                namespace?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CheckoutView"];
                };
            };
        };
    };
    code_uploads_all: {
        parameters: {
            query?: {
                offer?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CodeUploadsListed"];
                };
            };
        };
    };
    code_uploads_begin: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    batch: string;
                    offer: string;
                    valid_until?: string | null;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CodeUploadView"];
                };
            };
        };
    };
    code_uploads_read: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                batch: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CodeUploadView"];
                };
            };
        };
    };
    code_uploads_end: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                batch: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** Format: int64 */
                    parts: number;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CodeUploadView"];
                };
            };
        };
    };
    code_uploads_part: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                batch: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    codes: string[];
                    /** Format: int64 */
                    part: number;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CodePartView"];
                };
            };
        };
    };
    code_uploads_withdraw: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                batch: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    reason: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CodeUploadView"];
                };
            };
        };
    };
    campaigns_begin: {
        parameters: {
            query?: never;
            header: {
                "Idempotency-Key": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    campaign: string;
                    key?: string | null;
                    member: components["schemas"]["MemberRef"];
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CommandDone"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    channels_write_again: {
        parameters: {
            query?: never;
            header: {
                "Idempotency-Key": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    channel: string;
                    member: components["schemas"]["MemberRef"];
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CommandDone"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    checkout_cancel: {
        parameters: {
            query?: never;
            header: {
                "Idempotency-Key": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    checkout: string;
                    namespace?: string | null;
                    staff?: string | null;
                    store?: string | null;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CheckoutDone"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    checkout_lock: {
        parameters: {
            query?: never;
            header: {
                "Idempotency-Key": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    cart: components["schemas"]["CartFacts"];
                    checkout: string;
                    /** Format: uint32 */
                    hold_seconds?: number | null;
                    member: components["schemas"]["MemberRef"];
                    namespace?: string | null;
                    /** Format: int64 */
                    payable?: number | null;
                    staff?: string | null;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CheckoutDone"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    checkout_quote: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    cart: components["schemas"]["CartFacts"];
                    member?: components["schemas"]["MemberRef"] | null;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CheckoutQuoted"];
                };
            };
        };
    };
    checkout_redeem: {
        parameters: {
            query?: never;
            header: {
                "Idempotency-Key": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    cart?: components["schemas"]["CartFacts"] | null;
                    checkout: string;
                    member?: components["schemas"]["MemberRef"] | null;
                    namespace?: string | null;
                    order?: components["schemas"]["OrderRef"] | null;
                    /** Format: int64 */
                    payable?: number | null;
                    payment?: string | null;
                    staff?: string | null;
                    store?: string | null;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CheckoutDone"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    checkout_return: {
        parameters: {
            query?: never;
            header: {
                "Idempotency-Key": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    checkout: string;
                    /** @default [] */
                    lines?: components["schemas"]["Pieces"][];
                    namespace?: string | null;
                    staff?: string | null;
                    store?: string | null;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CheckoutDone"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    consents_set: {
        parameters: {
            query?: never;
            header: {
                "Idempotency-Key": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    channel?: string | null;
                    given: boolean;
                    guardian?: string | null;
                    member: components["schemas"]["MemberRef"];
                    purpose: string;
                    store?: string | null;
                    version?: string | null;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CommandDone"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    coupons_claim: {
        parameters: {
            query?: never;
            header: {
                "Idempotency-Key": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** Format: uint32 */
                    count?: number | null;
                    member: components["schemas"]["MemberRef"];
                    offer: string;
                    reference?: string | null;
                    staff?: string | null;
                    store?: string | null;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Claimed"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    coupons_issue: {
        parameters: {
            query?: never;
            header: {
                "Idempotency-Key": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** Format: uint32 */
                    count?: number | null;
                    member: components["schemas"]["MemberRef"];
                    offer: string;
                    reason: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CommandDone"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    coupons_redeem: {
        parameters: {
            query?: never;
            header: {
                "Idempotency-Key": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    coupon: string;
                    reference?: string | null;
                    staff?: string | null;
                    store?: string | null;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CommandDone"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    coupons_withdraw: {
        parameters: {
            query?: never;
            header: {
                "Idempotency-Key": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    coupon: string;
                    reason: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CommandDone"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    members_enrol: {
        parameters: {
            query?: never;
            header: {
                "Idempotency-Key": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    attributes?: {
                        [key: string]: components["schemas"]["AttributeValue"];
                    };
                    identifiers: components["schemas"]["IdentifierRef"][];
                    staff?: string | null;
                    store?: string | null;
                    touchpoint?: string | null;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CommandDone"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    members_erase: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    member: components["schemas"]["MemberRef"];
                    reason: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Erased"];
                };
            };
        };
    };
    members_lookup: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    member: components["schemas"]["MemberRef"];
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MemberBrief"];
                };
            };
        };
    };
    members_merge: {
        parameters: {
            query?: never;
            header: {
                "Idempotency-Key": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    members: components["schemas"]["MemberRef"][];
                    reason: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CommandDone"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    members_tag: {
        parameters: {
            query?: never;
            header: {
                "Idempotency-Key": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    member: components["schemas"]["MemberRef"];
                    on: boolean;
                    staff?: string | null;
                    tag: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CommandDone"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    members_unmask: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    field: string;
                    member: components["schemas"]["MemberRef"];
                    reason: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Unmasked"];
                };
            };
        };
    };
    members_unmerge: {
        parameters: {
            query?: never;
            header: {
                "Idempotency-Key": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    identifiers: components["schemas"]["IdentifierRef"][];
                    reason: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CommandDone"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    members_unmerge_preview: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    identifiers: components["schemas"]["IdentifierRef"][];
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Halves"];
                };
            };
        };
    };
    members_update: {
        parameters: {
            query?: never;
            header: {
                "Idempotency-Key": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    attributes?: {
                        [key: string]: components["schemas"]["AttributeValue"];
                    };
                    /** @default [] */
                    identifiers?: components["schemas"]["IdentifierRef"][];
                    member: components["schemas"]["MemberRef"];
                    staff?: string | null;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CommandDone"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    messages_seen: {
        parameters: {
            query?: never;
            header: {
                "Idempotency-Key": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    message: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CommandDone"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    places_close: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    code: string;
                    on?: string | null;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TreeChanged"];
                };
            };
        };
    };
    places_move: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    code: string;
                    under: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TreeChanged"];
                };
            };
        };
    };
    places_put: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @default false */
                    dry_run?: boolean;
                    places: {
                        [key: string]: string;
                    }[];
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TreeChanged"];
                };
            };
        };
    };
    playbooks_apply: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    source: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Applied"];
                };
            };
        };
    };
    playbooks_check: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    source: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Checked"];
                };
            };
        };
    };
    playbooks_diff: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    source: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Differences"];
                };
            };
        };
    };
    points_adjust: {
        parameters: {
            query?: never;
            header: {
                "Idempotency-Key": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** Format: int64 */
                    amount: number;
                    member: components["schemas"]["MemberRef"];
                    reason: string;
                    staff?: string | null;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CommandDone"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    points_post: {
        parameters: {
            query?: never;
            header: {
                "Idempotency-Key": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** Format: int64 */
                    amount?: number | null;
                    hold_id: string;
                    member: components["schemas"]["MemberRef"];
                    staff?: string | null;
                    store?: string | null;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CommandDone"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    points_return: {
        parameters: {
            query?: never;
            header: {
                "Idempotency-Key": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** Format: int64 */
                    amount?: number | null;
                    member: components["schemas"]["MemberRef"];
                    spend_id: string;
                    staff?: string | null;
                    store?: string | null;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CommandDone"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    points_spend: {
        parameters: {
            query?: never;
            header: {
                "Idempotency-Key": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** Format: int64 */
                    amount: number;
                    /** @default false */
                    hold?: boolean;
                    member: components["schemas"]["MemberRef"];
                    reference?: string | null;
                    staff?: string | null;
                    store?: string | null;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CommandDone"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    points_void: {
        parameters: {
            query?: never;
            header: {
                "Idempotency-Key": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    hold_id: string;
                    member: components["schemas"]["MemberRef"];
                    staff?: string | null;
                    store?: string | null;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CommandDone"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    staff_put: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @default false */
                    dry_run?: boolean;
                    staff: {
                        [key: string]: string;
                    }[];
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TreeChanged"];
                };
            };
        };
    };
    tasks_done: {
        parameters: {
            query?: never;
            header: {
                "Idempotency-Key": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    task: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CommandDone"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    consents_purposes: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConsentPurposes"];
                };
            };
        };
    };
    coupons_issues: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IssuesListed"];
                };
            };
        };
    };
    coupons_issue_many: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    audience: string;
                    batch: string;
                    offer: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IssueView"];
                };
            };
        };
    };
    coupons_issue_read: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                number: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IssueView"];
                };
            };
        };
    };
    coupons_issue_approve: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                number: number;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IssueView"];
                };
            };
        };
    };
    coupons_read: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                code: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CouponWhole"];
                };
            };
        };
    };
    dead_letters_list: {
        parameters: {
            query?: {
                code?: string;
                cursor?: string;
                limit?: number;
                source?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page6"];
                };
            };
        };
    };
    dead_letters_retry: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** @default false */
                    all?: boolean;
                    code?: string | null;
                    seqs?: number[] | null;
                    source?: string | null;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RetriedView"];
                };
            };
        };
    };
    home_digest: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Digest"];
                };
            };
        };
    };
    home_doctor: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DoctorView"];
                };
            };
        };
    };
    draws_list: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DrawsListed"];
                };
            };
        };
    };
    draws_read: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                draw: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DrawView"];
                };
            };
        };
    };
    draws_close: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                draw: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DrawView"];
                };
            };
        };
    };
    draws_file: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                draw: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": unknown;
                };
            };
        };
    };
    draws_open: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                draw: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DrawView"];
                };
            };
        };
    };
    draws_roll: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                draw: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Rolled"];
                };
            };
        };
    };
    draws_run: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                draw: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    public_value?: string | null;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DrawView"];
                };
            };
        };
    };
    duplicates_list: {
        parameters: {
            query?: {
                cursor?: string;
                limit?: number;
                state?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page5"];
                };
            };
        };
    };
    duplicates_read: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                number: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DuplicateView"];
                };
            };
        };
    };
    duplicates_different: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                number: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Settled"];
                };
            };
        };
    };
    duplicates_merge: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                number: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Settled"];
                };
            };
        };
    };
    given_up_list: {
        parameters: {
            query?: {
                cursor?: string;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page7"];
                };
            };
        };
    };
    group: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    anonymousId?: unknown;
                    context?: unknown;
                    event?: unknown;
                    messageId?: unknown;
                    previousId?: unknown;
                    properties?: unknown;
                    sentAt?: unknown;
                    timestamp?: unknown;
                    traits?: unknown;
                    type?: unknown;
                    userId?: unknown;
                } & {
                    [key: string]: unknown;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Delivered"];
                };
            };
        };
    };
    identify: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    anonymousId?: unknown;
                    context?: unknown;
                    event?: unknown;
                    messageId?: unknown;
                    previousId?: unknown;
                    properties?: unknown;
                    sentAt?: unknown;
                    timestamp?: unknown;
                    traits?: unknown;
                    type?: unknown;
                    userId?: unknown;
                } & {
                    [key: string]: unknown;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Delivered"];
                };
            };
        };
    };
    import: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    batch: unknown[];
                    context?: unknown;
                    sentAt?: unknown;
                } & {
                    [key: string]: unknown;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Delivered"];
                };
            };
        };
    };
    inbox_list: {
        parameters: {
            query?: {
                assignee?: string;
                cursor?: string;
                limit?: number;
                member?: string;
                persona?: string;
                state?: components["schemas"]["TalkState"] | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InboxPage"];
                };
            };
        };
    };
    inbox_read: {
        parameters: {
            query?: {
                cursor?: string;
                limit?: number;
            };
            header?: never;
            path: {
                conversation: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConversationWhole"];
                };
            };
        };
    };
    inbox_assign: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                conversation: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    assignee?: string | null;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConversationView"];
                };
            };
        };
    };
    inbox_close: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                conversation: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConversationView"];
                };
            };
        };
    };
    inbox_complaint: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                conversation: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    open: boolean;
                    tag?: string | null;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConversationView"];
                };
            };
        };
    };
    inbox_mark_read: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                conversation: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConversationView"];
                };
            };
        };
    };
    inbox_reopen: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                conversation: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConversationView"];
                };
            };
        };
    };
    inbox_reply: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                conversation: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    reply: string;
                    text: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WordView"];
                };
            };
        };
    };
    ingest_health: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IngestHealth"];
                };
            };
        };
    };
    keys_list: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Keys"];
                };
            };
        };
    };
    keys_make: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    expires_at?: string | null;
                    /** @default  */
                    name?: string;
                    only?: string[] | null;
                    place?: string | null;
                    role: string;
                    staff?: string | null;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Made"];
                };
            };
        };
    };
    keys_revoke: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Revoked"];
                };
            };
        };
    };
    keys_rotate: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /**
                     * Format: uint32
                     * @default 0
                     */
                    keep_old_hours?: number;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Made"];
                };
            };
        };
    };
    links_list: {
        parameters: {
            query?: {
                after?: string;
                limit?: number;
                page?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LinksListed"];
                };
            };
        };
    };
    links_make: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    campaign?: string | null;
                    /** Format: uint16 */
                    days?: number | null;
                    key?: string | null;
                    member?: components["schemas"]["MemberRef"] | null;
                    page?: string | null;
                    sharer?: components["schemas"]["MemberRef"] | null;
                    to?: string | null;
                    touchpoint?: string | null;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LinkView"];
                };
            };
        };
    };
    links_read: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                code: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LinkView"];
                };
            };
        };
    };
    links_qr: {
        parameters: {
            query?: {
                format?: components["schemas"]["Drawn"];
                pixels?: number;
            };
            header?: never;
            path: {
                code: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "image/png": string;
                    "image/svg+xml": string;
                };
            };
        };
    };
    lists_all: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ListsView"];
                };
            };
        };
    };
    lists_one: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ListView"];
                };
            };
        };
    };
    lists_put: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    identifiers: components["schemas"]["Called"][];
                    namespace?: string | null;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Uploaded"];
                };
            };
        };
    };
    lists_remove: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Removed"];
                };
            };
        };
    };
    lists_add: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    identifiers: components["schemas"]["Called"][];
                    namespace?: string | null;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Uploaded"];
                };
            };
        };
    };
    me_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Me"];
                };
            };
        };
    };
    me_change: {
        parameters: {
            query?: never;
            header: {
                "Idempotency-Key": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    attributes: {
                        [key: string]: unknown;
                    };
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CommandDone"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    me_claim: {
        parameters: {
            query?: never;
            header: {
                "Idempotency-Key": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** Format: uint32 */
                    count?: number | null;
                    offer: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MyClaimed"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    me_code: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    language?: string | null;
                    phone?: string | null;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TextedView"];
                };
            };
        };
    };
    me_consents: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MyConsents"];
                };
            };
        };
    };
    me_consent: {
        parameters: {
            query?: never;
            header: {
                "Idempotency-Key": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    channel?: string | null;
                    given: boolean;
                    purpose: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CommandDone"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    me_coupons: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MyCoupons"];
                };
            };
        };
    };
    me_door: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WaysIn"];
                };
            };
        };
    };
    me_draws: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MyDraws"];
                };
            };
        };
    };
    me_erase: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    sure: boolean;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Forgotten"];
                };
            };
        };
    };
    me_export: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": unknown;
                };
            };
        };
    };
    me_offers: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MyOffers"];
                };
            };
        };
    };
    me_orders: {
        parameters: {
            query?: {
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page3"];
                };
            };
        };
    };
    me_pass: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PassView"];
                };
            };
        };
    };
    me_payouts: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MyPayouts"];
                };
            };
        };
    };
    me_points: {
        parameters: {
            query?: {
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PointsView"];
                };
            };
        };
    };
    me_seen: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Seen"];
                };
            };
        };
    };
    me_session: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MySession"];
                };
            };
        };
    };
    me_session_begin: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    code: string;
                    phone?: string | null;
                    touchpoint?: string | null;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MySession"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    me_session_end: {
        parameters: {
            query?: {
                all?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MyEnded"];
                };
            };
        };
    };
    members_list: {
        parameters: {
            query?: {
                advisor?: string;
                audience?: string;
                cursor?: string;
                lifecycle?: string;
                limit?: number;
                name?: string;
                store?: string;
                tag?: string;
                tier?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page"];
                };
            };
        };
    };
    members_read: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MemberView"];
                };
            };
        };
    };
    members_campaign_why: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                campaign: string;
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WhyView2"];
                };
            };
        };
    };
    members_coupons: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CouponsListed"];
                };
            };
        };
    };
    members_draws: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MemberDraws"];
                };
            };
        };
    };
    members_inbox: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NotesListed"];
                };
            };
        };
    };
    members_lots: {
        parameters: {
            query?: {
                cursor?: string;
                limit?: number;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page4"];
                };
            };
        };
    };
    members_orders: {
        parameters: {
            query?: {
                cursor?: string;
                limit?: number;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page3"];
                };
            };
        };
    };
    members_prompts: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NotesListed"];
                };
            };
        };
    };
    members_runs: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RunsView"];
                };
            };
        };
    };
    members_sends: {
        parameters: {
            query?: {
                before?: string;
                channel?: string;
                limit?: number;
                state?: string;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SendsListed"];
                };
            };
        };
    };
    members_timeline: {
        parameters: {
            query?: {
                cursor?: string;
                kinds?: string;
                limit?: number;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page2"];
                };
            };
        };
    };
    members_why: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    as_of?: string | null;
                    condition: string;
                    /** Format: uint16 */
                    timeout_seconds?: number | null;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WhyView"];
                };
            };
        };
    };
    page: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    anonymousId?: unknown;
                    context?: unknown;
                    event?: unknown;
                    messageId?: unknown;
                    previousId?: unknown;
                    properties?: unknown;
                    sentAt?: unknown;
                    timestamp?: unknown;
                    traits?: unknown;
                    type?: unknown;
                    userId?: unknown;
                } & {
                    [key: string]: unknown;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Delivered"];
                };
            };
        };
    };
    partners_read: {
        parameters: {
            query?: {
                as_of?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReportView"];
                };
            };
        };
    };
    payouts_list: {
        parameters: {
            query?: {
                account?: string;
                cursor?: string;
                member?: string;
                month?: string;
                state?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PayoutsPage"];
                };
            };
        };
    };
    payouts_ask: {
        parameters: {
            query?: never;
            header: {
                "Idempotency-Key": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    account?: string | null;
                    /** Format: int64 */
                    amount_minor: number;
                    app?: string | null;
                    member: components["schemas"]["MemberRef"];
                    name?: string | null;
                    reason: string;
                    remark: string;
                    /** @default {} */
                    reports?: {
                        [key: string]: string;
                    };
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PayoutView"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    payouts_read: {
        parameters: {
            query?: {
                account?: string;
            };
            header?: never;
            path: {
                payout: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PayoutView"];
                };
            };
        };
    };
    payouts_approve: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                payout: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    account?: string | null;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PayoutView"];
                };
            };
        };
    };
    payouts_cancel: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                payout: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    account?: string | null;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PayoutView"];
                };
            };
        };
    };
    payouts_refuse: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                payout: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    account?: string | null;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PayoutView"];
                };
            };
        };
    };
    people_list: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PeopleView"];
                };
            };
        };
    };
    people_add: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    language?: string | null;
                    name: string;
                    password?: string | null;
                    place?: string | null;
                    role: string;
                    staff?: string | null;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PersonView"];
                };
            };
        };
    };
    people_remove: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PersonView"];
                };
            };
        };
    };
    people_change: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    place?: string | null;
                    role: string;
                    staff?: string | null;
                    /** @default false */
                    unlink?: boolean;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PersonView"];
                };
            };
        };
    };
    people_password: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    password: string;
                    /** @default false */
                    without_codes?: boolean;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PersonView"];
                };
            };
        };
    };
    places_list: {
        parameters: {
            query?: {
                as_of?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PlacesView"];
                };
            };
        };
    };
    places_read: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                code: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PlaceWholeView"];
                };
            };
        };
    };
    places_unknown: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReportView"];
                };
            };
        };
    };
    platforms_list: {
        parameters: {
            query?: {
                counts?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PlatformsListed"];
                };
            };
        };
    };
    playbooks_list: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Playbooks"];
                };
            };
        };
    };
    playbooks_read: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                version: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PlaybookView"];
                };
            };
        };
    };
    posters_draw: {
        parameters: {
            query: {
                member: string;
            };
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "image/png": string;
                };
            };
        };
    };
    posts_list: {
        parameters: {
            query?: {
                account?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PostsListed"];
                };
            };
        };
    };
    posts_ask: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    account?: string | null;
                    batch: string;
                    card?: components["schemas"]["PostCard"] | null;
                    /** Format: uint32 */
                    confirm_hours?: number | null;
                    groups?: components["schemas"]["PostGroups"] | null;
                    moment?: components["schemas"]["PostMoment"] | null;
                    text: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PostView"];
                };
            };
        };
    };
    posts_read: {
        parameters: {
            query?: {
                account?: string;
            };
            header?: never;
            path: {
                batch: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PostView"];
                };
            };
        };
    };
    posts_approve: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                batch: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    account?: string | null;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PostView"];
                };
            };
        };
    };
    posts_refuse: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                batch: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    account?: string | null;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PostView"];
                };
            };
        };
    };
    reports_read: {
        parameters: {
            query?: {
                as_of?: string;
                under?: string;
            };
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReportView"];
                };
            };
        };
    };
    books_read: {
        parameters: {
            query?: {
                by?: string;
                month?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BookView"];
                };
            };
        };
    };
    screen: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    anonymousId?: unknown;
                    context?: unknown;
                    event?: unknown;
                    messageId?: unknown;
                    previousId?: unknown;
                    properties?: unknown;
                    sentAt?: unknown;
                    timestamp?: unknown;
                    traits?: unknown;
                    type?: unknown;
                    userId?: unknown;
                } & {
                    [key: string]: unknown;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Delivered"];
                };
            };
        };
    };
    seats_read: {
        parameters: {
            query?: {
                account?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SeatsView"];
                };
            };
        };
    };
    sends_list: {
        parameters: {
            query?: {
                before?: string;
                channel?: string;
                limit?: number;
                state?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SendsListed"];
                };
            };
        };
    };
    sends_read: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                send: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SendView"];
                };
            };
        };
    };
    sends_drop: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                send: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SendView"];
                };
            };
        };
    };
    sends_retry: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                send: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** @default false */
                    sure?: boolean;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SendView"];
                };
            };
        };
    };
    session_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
        };
    };
    session_begin: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    code?: string | null;
                    name: string;
                    password: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
        };
    };
    session_end: {
        parameters: {
            query?: {
                all?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Ended"];
                };
            };
        };
    };
    session_change: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    language: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
        };
    };
    session_password: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    new: string;
                    old: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
        };
    };
    session_totp_offer: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Offered"];
                };
            };
        };
    };
    session_totp_end: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    password: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
        };
    };
    session_totp_confirm: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    code: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
        };
    };
    session_ways: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignInWays"];
                };
            };
        };
    };
    setup_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Needed"];
                };
            };
        };
    };
    setup: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    language?: string | null;
                    name: string;
                    password: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
        };
    };
    simulations_begin: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    from?: string | null;
                    sample?: string | null;
                    source: string;
                    to?: string | null;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SimulationView"];
                };
            };
        };
    };
    simulations_read: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                simulation: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SimulationView"];
                };
            };
        };
    };
    simulations_stop: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                simulation: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SimulationView"];
                };
            };
        };
    };
    tasks_list: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NotesListed"];
                };
            };
        };
    };
    tills_key: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TillKey"];
                };
            };
        };
    };
    tills_read: {
        parameters: {
            query: {
                lease: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LeaseView"];
                };
            };
        };
    };
    tills_return: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    lease: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LeaseView"];
                };
            };
        };
    };
    tills_sales: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    lease: string;
                    sales: unknown[];
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SalesTold"];
                };
            };
        };
    };
    tills_snapshot: {
        parameters: {
            query: {
                lease: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SnapshotFile"];
                };
            };
        };
    };
    tills_list: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Leases"];
                };
            };
        };
    };
    tills_lease: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** Format: uint32 */
                    hours?: number | null;
                    lease: string;
                    members?: components["schemas"]["Expected"][];
                    offers?: {
                        [key: string]: components["schemas"]["Of2"];
                    };
                    store?: string | null;
                    till: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LeaseView"];
                };
            };
        };
    };
    track: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    anonymousId?: unknown;
                    context?: unknown;
                    event?: unknown;
                    messageId?: unknown;
                    previousId?: unknown;
                    properties?: unknown;
                    sentAt?: unknown;
                    timestamp?: unknown;
                    traits?: unknown;
                    type?: unknown;
                    userId?: unknown;
                } & {
                    [key: string]: unknown;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Delivered"];
                };
            };
        };
    };
    transfers_list: {
        parameters: {
            query?: {
                account?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TransfersListed"];
                };
            };
        };
    };
    transfers_begin: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    account?: string | null;
                    /** @default [] */
                    customers?: string[];
                    from: string;
                    /** @default false */
                    groups?: boolean;
                    /** @default false */
                    left?: boolean;
                    to: string;
                    transfer: string;
                    word?: string | null;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TransferView2"];
                };
            };
        };
    };
    transfers_read: {
        parameters: {
            query?: {
                account?: string;
            };
            header?: never;
            path: {
                transfer: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TransferView2"];
                };
            };
        };
    };
    transfers_approve: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                transfer: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    account?: string | null;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TransferView2"];
                };
            };
        };
    };
    transfers_refuse: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                transfer: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    account?: string | null;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TransferView2"];
                };
            };
        };
    };
    views_list: {
        parameters: {
            query?: {
                page?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SavedViews"];
                };
            };
        };
    };
    views_save: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    name: string;
                    page: string;
                    query: string;
                    /** @default false */
                    shared?: boolean;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SavedView2"];
                };
            };
        };
    };
    views_drop: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                view: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ViewDropped"];
                };
            };
        };
    };
    ways_list: {
        parameters: {
            query?: {
                touchpoint?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WaysListed"];
                };
            };
        };
    };
    webhooks_list: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Hooks"];
                };
            };
        };
    };
    webhooks_make: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @default  */
                    description?: string;
                    /** @default false */
                    identifiers?: boolean;
                    /** @default [] */
                    types?: string[];
                    url: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WithSecret"];
                };
            };
        };
    };
    webhooks_read: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HookView"];
                };
            };
        };
    };
    webhooks_remove: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Removed2"];
                };
            };
        };
    };
    webhooks_change: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    description?: string | null;
                    identifiers?: boolean | null;
                    types?: string[] | null;
                    url?: string | null;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HookView"];
                };
            };
        };
    };
    webhooks_messages: {
        parameters: {
            query?: {
                cursor?: string;
                limit?: number;
                state?: string;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Messages"];
                };
            };
        };
    };
    webhooks_pause: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HookView"];
                };
            };
        };
    };
    webhooks_replay: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    from: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Replayed"];
                };
            };
        };
    };
    webhooks_resume: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HookView"];
                };
            };
        };
    };
    webhooks_rotate: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WithSecret"];
                };
            };
        };
    };
    webhooks_test: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tested"];
                };
            };
        };
    };
    webhooks_kinds: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookKinds"];
                };
            };
        };
    };
}
