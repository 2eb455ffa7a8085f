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
    // --- db --------------------------------------------------------------------------------------
    NotAdmin = 100, "not_admin", "only the owner of the AdminCap may do this: sign with the administrator's key";
    WrongDatabase = 101, "wrong_database", "the AdminCap is for another database: use its own";
    UnknownParam = 102, "unknown_param", "no parameter has this name: see the list of parameters";
    ParamTooLarge = 103, "param_too_large", "the value is above the parameter's limit: set a smaller one";
    ParamTooSmall = 104, "param_too_small", "the value is below what the rules can work with: set a larger one";
    ParamsContradict = 105, "params_contradict", "the shortest life of a stack would be longer than the longest: set the other one first";
    // --- node ------------------------------------------------------------------------------------
    NotNodeOwner = 200, "not_node_owner", "only the node's owner may do this: sign with the owner's key";
    CollateralTooLow = 201, "collateral_too_low", "the collateral is below the minimum to register: pay at least min_collateral";
    UrlInvalid = 202, "url_invalid", "the URL must begin with http:// or https://, name a host, and have at most 256 visible ASCII characters";
    ResponseKeyInvalid = 203, "response_key_invalid", "the response key is not a strong ed25519 public key: generate another";
    SealingKeyInvalid = 204, "sealing_key_invalid", "the sealing key must have 32 bytes or be empty";
    NodeNotActive = 205, "node_not_active", "the node is jailed, leaving or gone: wait for its jail to end, or register another";
    NodeHasSubscriptions = 206, "node_has_subscriptions", "the node is still subscribed: unsubscribe everywhere and have its leases settled and claimed";
    NotUnbonding = 207, "not_unbonding", "the node is not leaving: call begin_unbonding first";
    UnbondingNotOver = 208, "unbonding_not_over", "the collateral is still liable: wait until the unbonding time is over";
    NothingAdded = 209, "nothing_added", "the payment is zero: add some collateral";
    // --- task ------------------------------------------------------------------------------------
    NotTaskOwner = 300, "not_task_owner", "only the task's owner may do this: sign with the owner's key";
    RoleUnknown = 301, "role_unknown", "this version knows no such role: use one of its own";
    SecurityLevelUnknown = 302, "security_level_unknown", "this version knows no such security level: use one of its own";
    ModelNameInvalid = 303, "model_name_invalid", "the model's name must have 1 to 128 bytes";
    PriceCeilingZero = 304, "price_ceiling_zero", "the price ceiling is zero: nobody could offer anything";
    WeightsInvalid = 305, "weights_invalid", "there must be five unit weights, none above 2^40 and not all zero";
    ModelHashInvalid = 306, "model_hash_invalid", "the model's content hash must have 32 bytes";
    NumericsUnknown = 307, "numerics_unknown", "this version knows no such numerics: use one of its own";
    RuleUnknown = 308, "rule_unknown", "this version knows no such comparison rule: use one of its own";
    RuleUnfit = 309, "rule_unfit", "the exact rule needs deterministic numerics: choose the tolerant rule";
    MinReputationTooHigh = 310, "min_reputation_too_high", "reputation ends at 1000: ask for less";
    AllowListTooLong = 311, "allow_list_too_long", "the allow-list is too long: at most 64 nodes";
    TaskDeprecated = 312, "task_deprecated", "the task takes no new business: use another";
    NodeNotAllowed = 313, "node_not_allowed", "the task's allow-list does not name this node: ask the task's owner or use another task";
    PriceInvalid = 314, "price_invalid", "the price must be at least 1 and at most the task's ceiling";
    CapacityInvalid = 315, "capacity_invalid", "the capacity must be 1 to 2^50 units";
    CollateralBelowTask = 316, "collateral_below_task", "the node's collateral is below the task's minimum: add collateral";
    ReputationBelowTask = 317, "reputation_below_task", "the node's reputation is below the task's minimum: use another task";
    SubscriptionsFull = 318, "subscriptions_full", "the task has as many nodes as it can hold: use another task";
    NotSubscribed = 319, "not_subscribed", "the node is not subscribed to the task: subscribe first";
    // --- stack -----------------------------------------------------------------------------------
    NotStackOwner = 400, "not_stack_owner", "only the stack's owner may do this: sign with the owner's key";
    WrongTask = 401, "wrong_task", "the stack was bought for another task: pass that one";
    UnitsInvalid = 402, "units_invalid", "the stack must hold 1 to 2^50 units, and a top-up must add some";
    MaxPriceInvalid = 403, "max_price_invalid", "the highest price must be at least 1 and at most the task's ceiling";
    SelectionInvalid = 404, "selection_invalid", "the selection must be 0 (single), 1 (limited) or 2 (any)";
    NodeCountInvalid = 405, "node_count_invalid", "a limited selection draws 1 to 16 nodes; the others take 0 here";
    RequestKeyInvalid = 406, "request_key_invalid", "the request key is not a strong ed25519 public key: generate another";
    LifetimeInvalid = 407, "lifetime_invalid", "the stack would live shorter or longer than the parameters allow";
    EscrowOverflow = 408, "escrow_overflow", "units times price is more money than there can be: buy less";
    EscrowZero = 409, "escrow_zero", "the stack would cost nothing: buy more units or offer a higher price";
    WrongPayment = 410, "wrong_payment", "the payment must be exactly what the escrow needs: compute it anew and retry";
    NobodyEligible = 411, "nobody_eligible", "no node fits now: offer a higher price, buy fewer units, or use another task";
    TooFewEligible = 412, "too_few_eligible", "fewer nodes fit than should be drawn: ask for fewer, or offer a higher price";
    StackClosed = 413, "stack_closed", "the stack is closed and paid out: buy another";
    StackExpired = 414, "stack_expired", "the stack has expired or is closing: buy another";
    SingleTakesNoGrants = 415, "single_takes_no_grants", "the drawn node already has all units of a single stack: top it up instead";
    NotCandidate = 416, "not_candidate", "the node was not drawn for this stack: grant to one of its candidates";
    GrantInvalid = 417, "grant_invalid", "the bytes are not a grant";
    GrantWrongNetwork = 418, "grant_wrong_network", "the grant was signed for another network";
    GrantWrongStack = 419, "grant_wrong_stack", "the grant was signed for another stack";
    GrantWrongNode = 420, "grant_wrong_node", "the grant was signed for another node";
    GrantBadSignature = 421, "grant_bad_signature", "the grant is not signed by the stack's request key";
    GrantExpired = 422, "grant_expired", "the grant has expired: ask for a fresh one";
    GrantNotHigher = 423, "grant_not_higher", "the lease already has that many units: grant a higher sum";
    LeaseClosed = 424, "lease_closed", "the lease is settling or closed and is never reopened: use another node or stack";
    LeasesFull = 425, "leases_full", "the stack has as many leases as it can hold: use the nodes it has";
    LeasesExceedStack = 426, "leases_exceed_stack", "the stack has not enough ungranted units: grant fewer, or top up";
    SubscriptionNotActive = 427, "subscription_not_active", "the node's subscription takes no new units: subscribe again or call sync";
    PriceAboveMax = 428, "price_above_max", "the node's price is above the stack's highest: lower it, or use another node";
    CapacityExceeded = 429, "capacity_exceeded", "the node has not enough free capacity: take fewer units, or let it raise its capacity";
    ExtensionInvalid = 430, "extension_invalid", "the extension is zero, or the stack would live longer than the parameters allow";
    NothingUngranted = 431, "nothing_ungranted", "every unit is granted: there is nothing to take back";
    GraceNotOver = 432, "grace_not_over", "nodes may still settle: wait until expiry and grace are over";
    LeasesNotClosed = 433, "leases_not_closed", "a lease is open or settling: call expire_lease or claim for it first";
    // --- settlement ------------------------------------------------------------------------------
    NoSuchLease = 500, "no_such_lease", "the node holds no lease on this stack";
    LeaseNotOpen = 501, "lease_not_open", "the lease is already settled";
    DeadlinePassed = 502, "deadline_passed", "the time to settle is over";
    ClaimAboveLease = 503, "claim_above_lease", "the claim is more than the lease's units";
    NotAllEmpty = 504, "not_all_empty", "a settlement of nothing carries no headers, receipt or root";
    CountMismatch = 505, "count_mismatch", "the count must be the last receipt's seq";
    ClaimMismatch = 506, "claim_mismatch", "the claim must be the last receipt's cumulative units";
    ReceiptInvalid = 507, "receipt_invalid", "the bytes are not a receipt";
    ReceiptWrongNetwork = 508, "receipt_wrong_network", "the receipt was signed for another network";
    ReceiptWrongStack = 509, "receipt_wrong_stack", "the receipt is of another stack";
    ReceiptWrongNode = 510, "receipt_wrong_node", "the receipt is of another node";
    ReceiptBadSignature = 511, "receipt_bad_signature", "the receipt is not signed by the node's response key";
    HeaderCountInvalid = 512, "header_count_invalid", "there must be 1 to 64 headers, each with its signature";
    HeaderInvalid = 513, "header_invalid", "the bytes are not a request header";
    HeaderWrongNetwork = 514, "header_wrong_network", "a header was signed for another network";
    HeaderWrongStack = 515, "header_wrong_stack", "a header is of another stack";
    HeaderWrongNode = 516, "header_wrong_node", "a header is of another node";
    HeaderWrongTask = 517, "header_wrong_task", "a header is of another task";
    HeaderBadSignature = 518, "header_bad_signature", "a header is not signed by the stack's request key";
    LanesNotRising = 519, "lanes_not_rising", "there must be one header a lane, lanes rising";
    ClaimAboveCeilings = 520, "claim_above_ceilings", "the claim is more than the ceilings the owner signed";
    RootInvalid = 521, "root_invalid", "the root over the receipts must have 32 bytes";
    ManifestInvalid = 522, "manifest_invalid", "the manifest's blob id must have 32 bytes or be empty";
    NotSettling = 523, "not_settling", "the lease is not waiting to be paid";
    WindowNotOver = 524, "window_not_over", "the dispute window is still open: claim when it is over";
    DeadlineNotPassed = 525, "deadline_not_passed", "the node may still settle: wait until expiry and grace are over";
    // --- treasury --------------------------------------------------------------------------------
    NoFees = 600, "no_fees", "the task has no fees to collect";
    NothingToReport = 601, "nothing_to_report", "the node was paid nothing in the last epoch, or it is reported already";
    ReportsClosed = 602, "reports_closed", "an epoch is reported in the first half of the next: the rest of it is for paying";
    BookFull = 603, "book_full", "the book holds as many nodes as it can: try in the next epoch";
    NoShare = 604, "no_share", "the node has no unpaid share in the book";
    PaymentsNotOpen = 605, "payments_not_open", "shares are paid from the middle of the next epoch on: wait";
    // --- dispute ---------------------------------------------------------------------------------
    AlreadyConvicted = 700, "already_convicted", "the node was convicted on this lease before: a lease is punished once";
    NodeLeft = 701, "node_left", "the node has left with its collateral: it was liable until its unbonding ended";
    WindowOver = 702, "window_over", "the dispute window is over: open disputes before the ticket's deadline";
    SeqNotSettled = 703, "seq_not_settled", "the settlement has no receipt of this seq: choose 1 to its count";
    AlreadyDisputed = 704, "already_disputed", "a dispute about this receipt is open: wait for its end";
    DisputesFull = 705, "disputes_full", "the settlement has as many open disputes as it can hold: wait until one ends";
    WrongBond = 706, "wrong_bond", "the bond must be exactly the stack's dispute_bond: read it and retry";
    NoSuchDispute = 707, "no_such_dispute", "no dispute about this receipt is open: look at the stack";
    DisputeOpen = 708, "dispute_open", "a dispute about the settlement is open: answer it, or resolve it after its deadline";
    AnswerTooLate = 709, "answer_too_late", "the time to answer is over: the dispute can only be resolved";
    AnswerTimeNotOver = 710, "answer_time_not_over", "the node may still answer: resolve after the dispute's deadline";
    RecordInvalid = 711, "record_invalid", "the bytes are not a record";
    ReceiptWrongSeq = 712, "receipt_wrong_seq", "the receipt's seq is not its place in the settlement";
    ReceiptWrongRequest = 713, "receipt_wrong_request", "the receipt is for another request than the header beside it";
    ReceiptDiffers = 714, "receipt_differs", "the record holds another receipt than the one that was disputed";
    ProofInvalid = 715, "proof_invalid", "the bytes are not a Merkle proof";
    ProofFails = 716, "proof_fails", "the proof does not lead from the record at its place to the settlement's root";
    BlobDeletable = 717, "blob_deletable", "the blob can be deleted: store the evidence as permanent";
    BlobExpired = 718, "blob_expired", "the blob's storage has ended: extend it before";
    BlobInvalid = 719, "blob_invalid", "the blob is not certified: wait until its storage nodes have confirmed it";
    RecordGenuine = 720, "record_genuine", "nothing is wrong with the record: it proves no forgery";
    ReceiptsAgree = 721, "receipts_agree", "the two receipts do not contradict each other: they prove nothing";
    ChargeAllowed = 722, "charge_allowed", "the receipt charges no more than tariff, request and settlement allow";
    // --- the development Walrus ------------------------------------------------------------------
    NotBlobOwner = 800, "not_blob_owner", "only the blob's owner may do this: sign with the key that it was sent to";
    NotWalrusOperator = 801, "not_walrus_operator", "only the owner of the OperatorCap may do this: sign with the operator's key";
    CommitteeInvalid = 802, "committee_invalid", "a committee has at most 256 members, each with a BLS key of 48 bytes and some of 4 to 1000 shards";
    NoCommittee = 803, "no_committee", "there are no storage nodes yet: start the store";
    EpochsInvalid = 804, "epochs_invalid", "storage is had for 1 to 53 epochs ahead";
    EncodingUnknown = 805, "encoding_unknown", "the only coding is RS2, number 1";
    BlobTooLarge = 806, "blob_too_large", "the shards do not hold so large a blob: split it, or use more shards";
    StorageTooSmall = 807, "storage_too_small", "the storage is smaller than the encoded blob: reserve more";
    BlobIdInvalid = 808, "blob_id_invalid", "the blob id is not that of this root, size and coding";
    AlreadyCertified = 809, "already_certified", "the blob is certified: nothing is left to do";
    StorageEnded = 810, "storage_ended", "the blob's storage has ended: register it again";
    ConfirmationInvalid = 811, "confirmation_invalid", "the message is not a storage confirmation of this blob";
    ConfirmationWrongEpoch = 812, "confirmation_wrong_epoch", "the confirmation is of another epoch: have the nodes confirm anew";
    NoQuorum = 813, "no_quorum", "nodes with at least two thirds of the shards must confirm";
    CertificateInvalid = 814, "certificate_invalid", "the certificate's signature is not that of its signers";
    NotCertified = 815, "not_certified", "the blob is not certified: certify it before";
    BlobPermanent = 816, "blob_permanent", "a certified permanent blob is kept until its end";
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
            assert!(!code.help().is_empty());
        }
        assert_eq!(AbortCode::from_code(0), None);
    }
}
