//! what a user's program needs: buy, request, check receipts
