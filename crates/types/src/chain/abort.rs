//! Why the package aborts a call. Each check has a code of its own; the hundreds name the subject; a module of
//! `move/atoma/sources/` with another name may check it (signed messages: `verified`).
//! A code never changes its meaning and is never given out twice.

macro_rules! aborts {
    ($($variant:ident = $code:literal, $name:literal, $help:literal;)*) => {
        /// A failed check of the package. As `u64` it is what Move's `abort` carries.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        #[repr(u64)]
        pub enum AbortCode { $(#[doc = $help] $variant = $code),* }

        impl AbortCode {
            /// Every code, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The number that the package aborts with. It never changes its meaning.
            #[must_use]
            pub fn code(self) -> u64 {
                self as u64
            }

            /// The stable name, for logs and machines.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// What went wrong and what to do, for a person.
            #[must_use]
            pub fn help(self) -> &'static str {
                match self { $(Self::$variant => $help),* }
            }

            /// The check with this number, if this version knows it.
            #[must_use]
            pub fn from_code(code: u64) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

aborts! {
    // --- anywhere --------------------------------------------------------------------------------
    ObjectMissing = 1, "object_missing", "no such object: check the id, and that it is of this network";
    WrongObjectKind = 2, "wrong_object_kind", "the object is of another kind: check which id stands where";
    AmountOverflow = 3, "amount_overflow", "the sum is more money than there can be: pay less";
    Paused = 4, "paused", "the administrator has paused new business: try later; exits work";
    WrongVersion = 5, "wrong_version", "the object is of another version of the package: call the newest, and migrate the object first";
    NothingToWithdraw = 6, "nothing_to_withdraw", "there is no credit: nothing was freed or earned since the last withdrawal";
    // --- db --------------------------------------------------------------------------------------
    NotAdmin = 100, "not_admin", "only the owner of the AdminCap may do this: sign with the administrator's key";
    WrongDatabase = 101, "wrong_database", "the AdminCap is for another database: use its own";
    UnknownParam = 102, "unknown_param", "no parameter has this name: see the list of parameters";
    ParamTooLarge = 103, "param_too_large", "the value is above the parameter's cap: set a smaller one";
    ParamTooSmall = 104, "param_too_small", "the value is below the parameter's floor: set a larger one";
    ParamsContradict = 105, "params_contradict", "the parameters would not fit each other: see which must be how large, and set the other ones first";
    InUse = 106, "in_use", "there are nodes or tasks already: a database is one for development from its beginning or never";
    NoticeNotOver = 107, "notice_not_over", "objects go over to a new version of the package a week after it was announced: wait, or have the administrator announce it";
    // --- node ------------------------------------------------------------------------------------
    NotNodeOwner = 200, "not_node_owner", "only the node's owner may do this: sign with the owner's key";
    CollateralTooLow = 201, "collateral_too_low", "the collateral is below the minimum of the network: add to it";
    UrlInvalid = 202, "url_invalid", "the URL must begin with http:// or https://, name a host, and have at most 256 visible ASCII characters: name another";
    ResponseKeyInvalid = 203, "response_key_invalid", "the response key is not a strong ed25519 public key: generate another";
    SealingKeyInvalid = 204, "sealing_key_invalid", "the sealing key must have 32 bytes or be empty: generate one, or pass none";
    NodeNotActive = 205, "node_not_active", "the node is jailed, leaving or gone: wait for its jail to end, or register another";
    NodeHasSubscriptions = 206, "node_has_subscriptions", "the node is still subscribed: unsubscribe everywhere first";
    NotUnbonding = 207, "not_unbonding", "the node is not leaving: call begin_unbonding first";
    UnbondingNotOver = 208, "unbonding_not_over", "the collateral waits: try again when the unbonding time is over";
    NothingAdded = 209, "nothing_added", "the payment is zero: add some";
    AtStake = 210, "at_stake", "leases are open that the collateral stands for: release, settle and claim them, or let them expire";
    ReleaseDigestInvalid = 211, "release_digest_invalid", "the release's digest must have 32 bytes: take it from the release";
    NothingPending = 212, "nothing_pending", "no fine, or not so large a one, waits for a pardon: `node show` says what waits";
    PardonOver = 213, "pardon_over", "the time for a pardon is over: the fine is the treasury's";
    PardonNotOver = 214, "pardon_not_over", "the fine can still be pardoned: wait for the end of the delay";
    // --- task ------------------------------------------------------------------------------------
    NotTaskOwner = 300, "not_task_owner", "only the task's owner may do this: sign with the owner's key";
    RoleUnknown = 301, "role_unknown", "this version knows no such role: use one of its own";
    SecurityLevelUnknown = 302, "security_level_unknown", "this version knows no such security level: use one of its own";
    ModelNameInvalid = 303, "model_name_invalid", "the model's name must have 1 to 128 bytes: choose such a name";
    PriceCeilingZero = 304, "price_ceiling_zero", "the price ceiling is zero: nobody could offer anything";
    WeightsInvalid = 305, "weights_invalid", "there must be five unit weights, none above 2^40 and not all zero: name such";
    ModelHashInvalid = 306, "model_hash_invalid", "the model's content hash must have 32 bytes: take it from the model";
    NumericsUnknown = 307, "numerics_unknown", "this version knows no such numerics: use one of its own";
    RuleUnknown = 308, "rule_unknown", "this version knows no such comparison rule: use one of its own";
    RuleUnfit = 309, "rule_unfit", "the exact rule needs deterministic numerics: choose the tolerant rule";
    MinReputationTooHigh = 310, "min_reputation_too_high", "reputation ends at 1000: ask for less";
    AllowListTooLong = 311, "allow_list_too_long", "the allow-list is too long: at most 64 nodes";
    TaskDeprecated = 312, "task_deprecated", "the task takes no new business: use another";
    NodeNotAllowed = 313, "node_not_allowed", "the task's allow-list does not name this node: ask the task's owner or use another task";
    PriceInvalid = 314, "price_invalid", "the price must be at least 1 and at most the task's ceiling: `task show` tells it";
    CollateralBelowTask = 316, "collateral_below_task", "the node's collateral is below the task's minimum: add collateral";
    ReputationBelowTask = 317, "reputation_below_task", "the node's reputation is below the task's minimum: use another task";
    SubscriptionsFull = 318, "subscriptions_full", "the task has as many nodes as it can hold: evict one, or use another task";
    NotSubscribed = 319, "not_subscribed", "the node is not subscribed to the task: subscribe first";
    SubscriptionsNotFull = 320, "subscriptions_not_full", "the task has room: nobody need go";
    NotEvictable = 321, "not_evictable", "the entry is neither suspended nor the smallest by a quarter below yours, or it has a duty: evict another";
    AttestsAlready = 322, "attests_already", "the node attests in this task already: nothing is left to do";
    NotAttesting = 323, "not_attesting", "the node does not attest in this task: `node attest` enrols it";
    DutyOpen = 324, "duty_open", "the node was drawn to examine somebody: resign, so that it isn't drawn again, and wait for the end of that ticket";
    WrongDeposit = 325, "wrong_deposit", "the deposit must be exactly attest_deposit: read it and retry";
    NotSampling = 326, "not_sampling", "the task, or the stack, is not examined: use one whose security level is sampling consensus";
    NotConfidential = 327, "not_confidential", "the task is not confidential: it needs no releases";
    ReleasesFull = 328, "releases_full", "the task has as many releases as it can hold: withdraw one";
    NoSuchRelease = 329, "no_such_release", "the task has no such release: `task show` lists those that it has";
    NotAttested = 330, "not_attested", "the node attests no release of this task: attest first";
    ReleasedAlready = 331, "released_already", "the task has this release already: nothing is left to do";
    SubscribedAlready = 332, "subscribed_already", "the node is subscribed already: nobody need go for it";
    // --- stack -----------------------------------------------------------------------------------
    NotStackOwner = 400, "not_stack_owner", "only the stack's owner may do this: sign with the owner's key";
    WrongTask = 401, "wrong_task", "the stack was bought for another task: pass that one";
    UnitsInvalid = 402, "units_invalid", "the stack must hold 1 to 2^50 units, and a top-up must add some: name as many";
    MaxPriceInvalid = 403, "max_price_invalid", "the highest price must be at least 1 and at most the task's ceiling: `task show` tells it";
    NodeCountInvalid = 405, "node_count_invalid", "at most 16 nodes are drawn, and 0 means any: name as many";
    RequestKeyInvalid = 406, "request_key_invalid", "the request key is not a strong ed25519 public key: generate another";
    LifetimeInvalid = 407, "lifetime_invalid", "the stack would live shorter or longer than the parameters allow: `network params` shows the bounds";
    EscrowOverflow = 408, "escrow_overflow", "units times price is more money than there can be: buy less";
    EscrowZero = 409, "escrow_zero", "the stack would cost nothing: buy more units or offer a higher price";
    WrongPayment = 410, "wrong_payment", "the payment must be exactly what is asked: compute it anew and retry";
    NobodyEligible = 411, "nobody_eligible", "no node fits now: offer a higher price, or use another task";
    TooFewEligible = 412, "too_few_eligible", "fewer nodes fit than should be drawn: ask for fewer, or offer a higher price";
    StackExpired = 414, "stack_expired", "the stack has expired or is closing: buy another";
    NotCandidate = 416, "not_candidate", "the node was not drawn for this stack: grant to one of its candidates";
    GrantInvalid = 417, "grant_invalid", "the bytes are not a grant: have the owner sign one anew";
    GrantWrongNetwork = 418, "grant_wrong_network", "the grant was signed for another network: have the owner sign one for this";
    GrantWrongStack = 419, "grant_wrong_stack", "the grant was signed for another stack: have the owner sign one for this";
    GrantWrongNode = 420, "grant_wrong_node", "the grant was signed for another node: have the owner sign one for this";
    GrantBadSignature = 421, "grant_bad_signature", "the grant is not signed by the stack's request key: sign it with the wallet that bought the stack";
    GrantExpired = 422, "grant_expired", "the grant has expired: ask for a fresh one";
    GrantNotHigher = 423, "grant_not_higher", "the lease already has that many units: grant a higher sum";
    LeaseClosed = 424, "lease_closed", "the lease is closed and is never reopened: use another node or stack";
    LeasesFull = 425, "leases_full", "the stack has as many leases as it can hold: use the nodes it has";
    LeasesExceedStack = 426, "leases_exceed_stack", "the stack has not enough ungranted units: grant fewer, or top up";
    PriceAboveMax = 428, "price_above_max", "the price is above the highest that the owner signed: lower it, or use another node";
    ExtensionInvalid = 430, "extension_invalid", "the extension is zero, or the stack would live longer than the parameters allow: extend by less";
    GrantRevoked = 434, "grant_revoked", "the owner has revoked what was granted before: ask for a fresh grant";
    CollateralBusy = 435, "collateral_busy", "the node's free collateral does not cover the added units: add some, or take fewer";
    NoExaminers = 436, "no_examiners", "the task is sold as examined, and too few attesters of others, or too small a pool, are there: fund it, or use another task";
    ReleaseInvalid = 437, "release_invalid", "a lease can only become smaller, and not below what is settled or paid: name a sum between these and its units";
    StackNotExpired = 438, "stack_not_expired", "only the owner may do this before the stack has expired: wait for its end";
    // --- settlement ------------------------------------------------------------------------------
    NoSuchLease = 500, "no_such_lease", "the node holds no lease on this stack: `stack show` lists the leases";
    NotLeaseOwner = 501, "not_lease_owner", "only the owner of the lease's node may do this: sign with its key";
    DeadlinePassed = 502, "deadline_passed", "the time to settle is over: what was not settled is not paid";
    ClaimAboveLease = 503, "claim_above_lease", "the claim is more than the lease's units: claim no more than those";
    NothingClaimed = 504, "nothing_claimed", "the claim must go beyond what is paid or claimed, in units and in seq: serve something first";
    CountMismatch = 505, "count_mismatch", "the count must be the last receipt's seq: take it from there";
    ClaimMismatch = 506, "claim_mismatch", "the claim must be the last receipt's cumulative units: take them from there";
    ReceiptInvalid = 507, "receipt_invalid", "the bytes are not a receipt: pass one as the node signed it";
    ReceiptWrongNetwork = 508, "receipt_wrong_network", "the receipt was signed for another network: pass a receipt of this one";
    ReceiptWrongStack = 509, "receipt_wrong_stack", "the receipt is of another stack: name that one, or pass a receipt of this";
    ReceiptWrongNode = 510, "receipt_wrong_node", "the receipt is of another node: name that one, or pass a receipt of this";
    ReceiptBadSignature = 511, "receipt_bad_signature", "the receipt is not signed by the lease's response key: pass it as the node signed it";
    HeaderCountInvalid = 512, "header_count_invalid", "there must be 1 to 60 headers, each with its signature: pass one for each lane";
    HeaderInvalid = 513, "header_invalid", "the bytes are not a request header: pass it as the user signed it";
    HeaderWrongNetwork = 514, "header_wrong_network", "a header was signed for another network: pass one of this";
    HeaderWrongStack = 515, "header_wrong_stack", "a header is of another stack: pass one of this";
    HeaderWrongNode = 516, "header_wrong_node", "a header is of another node: pass one of this";
    HeaderWrongTask = 517, "header_wrong_task", "a header is of another task: pass one of the stack's";
    HeaderBadSignature = 518, "header_bad_signature", "a header is not signed by the stack's request key: pass it as the user signed it";
    LanesNotRising = 519, "lanes_not_rising", "there must be one header a lane, lanes rising: sort them, and keep the highest ceiling of each";
    ClaimAboveCeilings = 520, "claim_above_ceilings", "the claim is more than the ceilings the owner signed: claim less, or pass the lanes' highest headers";
    ManifestInvalid = 522, "manifest_invalid", "the blob id must have 32 bytes or be empty: pass it as Walrus gave it";
    NoTicket = 523, "no_ticket", "the lease has no such ticket that waits to be paid: `dispute show` lists those that it has; others are paid, void or not settled yet";
    WindowNotOver = 524, "window_not_over", "the dispute window is still open: claim when it is over";
    DeadlineNotPassed = 525, "deadline_not_passed", "the node may still settle: wait until expiry and grace are over";
    TicketOpen = 526, "ticket_open", "as many tickets as may be wait to be paid: claim first";
    TicketTooSmall = 527, "ticket_too_small", "the claim is worth less than the smallest ticket: settle later";
    ExamOpen = 528, "exam_open", "the ticket's examination is not over: see whose turn it is";
    ChallengeOpen = 529, "challenge_open", "the ticket's challenge is not over: see whose turn it is";
    FromMismatch = 530, "from_mismatch", "the claim does not go on from the last receipt that is paid or claimed: read the lease";
    HistoryTooShort = 531, "history_too_short", "the last receipt's history begins after the receipt that the claim goes on from: claim by an earlier one first";
    // --- treasury --------------------------------------------------------------------------------
    NoFees = 600, "no_fees", "the task has no fees to collect: wait until a ticket of it is paid";
    NothingToReport = 601, "nothing_to_report", "the node paid no fees in the last epoch, or they are reported already: nothing is left to do";
    ReportsClosed = 602, "reports_closed", "an epoch is reported in the first half of the next, the rest of it is for paying: report the next one in time";
    NoShare = 604, "no_share", "the node has no unpaid share in the book: report its fees in the first half of the next epoch";
    PaymentsNotOpen = 605, "payments_not_open", "shares are paid from the middle of the next epoch on: wait";
    // --- dispute ---------------------------------------------------------------------------------
    NotWatcher = 700, "not_watcher", "only the stack's owner or its watcher may do this: have the owner name you with `stack set-watcher`";
    WindowOver = 702, "window_over", "the dispute window is over: demand and challenge before the ticket's deadline";
    UnitNotSettled = 703, "unit_not_settled", "the ticket does not claim this unit: choose one after the paid ones and before its end";
    AlreadyDemanded = 704, "already_demanded", "a demand for this unit is open: wait for its end";
    DemandsFull = 705, "demands_full", "the ticket has as many open demands as it can hold: wait until one ends";
    NoSuchDemand = 707, "no_such_demand", "no demand for this unit is open: look at the stack";
    DemandOpen = 708, "demand_open", "a demand is open: answer it, or call silence after its deadline";
    AnswerTooLate = 709, "answer_too_late", "the time to answer or disclose is over: anyone may convict the node now";
    AnswerTimeNotOver = 710, "answer_time_not_over", "the node may still answer or disclose: wait for the deadline";
    RecordInvalid = 711, "record_invalid", "the bytes are not a record: pass header, receipt and both signatures as they were settled";
    ReceiptWrongSeq = 712, "receipt_wrong_seq", "the receipt's seq is not its place in the settlement: pass the record of that place";
    ReceiptWrongRequest = 713, "receipt_wrong_request", "the receipt is for another request than the header beside it: pass those of one request";
    ReceiptWrongEngine = 714, "receipt_wrong_engine", "the receipt names another model, numerics or rule than the task: no answer with it counts";
    ProofInvalid = 715, "proof_invalid", "the bytes are not a Merkle proof: have the node's evidence log make it anew";
    ProofFails = 716, "proof_fails", "the proof does not lead from the record at its place to the ticket's last receipt: pass the proof of this record in this ticket";
    RecordOverTariff = 717, "record_over_tariff", "the receipt charges more than the task's weights make of its usage: no answer with it counts";
    RecordOverOrder = 718, "record_over_order", "the receipt charges more than its order allows: no answer with it counts";
    RecordWrongUnit = 719, "record_wrong_unit", "the record is not that of this unit: pass the one whose units cover it";
    WrongFee = 720, "wrong_fee", "the payment must be exactly the stack's demand_fee: read it and retry";
    ReceiptsAgree = 721, "receipts_agree", "the two receipts are not two for one request and prove nothing: pass two that differ";
    EvidenceMissing = 722, "evidence_missing", "the answer has no bodies: name the blob where they are, or carry them sealed";
    EvidenceTooLong = 723, "evidence_too_long", "the bodies are too long to be carried: store them and name the blob";
    // --- audit -----------------------------------------------------------------------------------
    NotUndrawn = 750, "not_undrawn", "the ticket's draw was made already: see whose turn it is";
    NotDrawn = 751, "not_drawn", "the ticket was not drawn, or its examiner was: see whose turn it is";
    Missed = 752, "missed", "the draw did not hit the ticket: it is paid without an examination";
    NotDisclosing = 753, "not_disclosing", "nothing is to be disclosed now: see whose turn it is";
    NotExamining = 754, "not_examining", "the examiner does not work now: see whose turn it is";
    NotAuditor = 755, "not_auditor", "only the owner of the node that was drawn may do this: sign with its key";
    VerdictTooLate = 756, "verdict_too_late", "the time for the verdict is over: `stack due` does the next step";
    VerdictTimeNotOver = 757, "verdict_time_not_over", "the attesters may still act: wait for the deadline";
    JuryNotCalled = 758, "jury_not_called", "nobody has called for a jury: challenge the ticket, or wait for the examiner's word";
    JurySits = 759, "jury_sits", "the jury is drawn already: wait for its verdicts";
    NoJury = 760, "no_jury", "no jury sits: see whose turn it is";
    NotCommitting = 761, "not_committing", "the record is not disclosed, or this juror has committed, or the time is over: see whose turn it is";
    NotRevealing = 762, "not_revealing", "commitments are still taken, or this juror has none or has revealed it, or the time is over: see whose turn it is";
    WrongReveal = 763, "wrong_reveal", "verdict and salt do not make the commitment: reveal what was committed";
    AlreadyChallenged = 764, "already_challenged", "a ticket is challenged once, and this one was: `dispute show` tells how that stands";
    WrongBond = 765, "wrong_bond", "the bond must be at least what the stack's terms ask for this ticket, and nothing where nobody is accused: compute it and retry";
    VerdictInvalid = 766, "verdict_invalid", "a verdict that finds nothing wrong has a digest of zeros: pass that";
    WrapsInvalid = 767, "wraps_invalid", "there must be one wrapped key for each attester, and at most 256 bytes each: wrap the key for all of them";
    DigestInvalid = 768, "digest_invalid", "digest, salt and commitment must have 32 bytes: compute them anew";
    NotBlobOwner = 800, "not_blob_owner", "only the blob's owner may do this: sign with the key that it was sent to";
    NotWalrusOperator = 801, "not_walrus_operator", "only the owner of the OperatorCap may do this: sign with the operator's key";
    CommitteeInvalid = 802, "committee_invalid", "a committee has at most 256 members, each with a BLS key of 48 bytes and some of 4 to 1000 shards: form such a one";
    NoCommittee = 803, "no_committee", "there are no storage nodes yet: start the store";
    EpochsInvalid = 804, "epochs_invalid", "storage is had for 1 to 53 epochs ahead: ask for as many";
    EncodingUnknown = 805, "encoding_unknown", "the only coding is RS2, number 1: encode with it";
    BlobTooLarge = 806, "blob_too_large", "the shards do not hold so large a blob: split it, or use more shards";
    StorageTooSmall = 807, "storage_too_small", "the storage is smaller than the encoded blob: reserve more";
    BlobIdInvalid = 808, "blob_id_invalid", "the blob id is not that of this root, size and coding: compute it anew";
    AlreadyCertified = 809, "already_certified", "the blob is certified: nothing is left to do";
    StorageEnded = 810, "storage_ended", "the blob's storage has ended: register it again";
    ConfirmationInvalid = 811, "confirmation_invalid", "the message is not a storage confirmation of this blob: have the nodes confirm it";
    ConfirmationWrongEpoch = 812, "confirmation_wrong_epoch", "the confirmation is of another epoch: have the nodes confirm anew";
    NoQuorum = 813, "no_quorum", "nodes with at least two thirds of the shards must confirm: ask more of them";
    CertificateInvalid = 814, "certificate_invalid", "the certificate's signature is not that of its signers: have the nodes confirm anew";
    NotCertified = 815, "not_certified", "the blob is not certified: certify it before";
    BlobPermanent = 816, "blob_permanent", "a certified permanent blob is kept: wait for its end";
}

impl std::fmt::Display for AbortCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn codes_and_names_are_unique_and_round_trip() {
        let names: BTreeSet<_> = AbortCode::ALL.iter().map(|c| c.name()).collect();
        assert_eq!(names.len(), AbortCode::ALL.len());
        assert!(AbortCode::ALL.is_sorted_by_key(|c| c.code()));
        for &code in AbortCode::ALL {
            assert_eq!(AbortCode::from_code(code.code()), Some(code));
            // what is wrong, and what to do about it
            assert!(code.help().contains(": "), "{code}: {}", code.help());
        }
        assert_eq!(AbortCode::from_code(0), None);
    }
}
