-- +goose Up
-- Dead-letter policies. The target is a name: it may be deleted and made again.
ALTER TABLE queues
    ADD COLUMN dead_letter_target text COLLATE "C" NOT NULL DEFAULT '',
    ADD COLUMN max_receives integer NOT NULL DEFAULT 0 CHECK (max_receives >= 0),
    ADD COLUMN dead_letter_sources text COLLATE "C" NOT NULL DEFAULT '',
    ADD CONSTRAINT dead_letter_policy CHECK ((dead_letter_target = '') = (max_receives = 0));
CREATE INDEX queues_dead_letter_target ON queues (account, region, dead_letter_target, name) WHERE dead_letter_target <> '';

-- How many of the receives that a message counts were in the queues that it was a dead letter of; null for none.
-- Policies look at those in the present queue.
ALTER TABLE messages ADD COLUMN prior_receives integer;

-- +goose Down
ALTER TABLE messages DROP COLUMN prior_receives;
DROP INDEX queues_dead_letter_target;
ALTER TABLE queues DROP CONSTRAINT dead_letter_policy, DROP COLUMN dead_letter_target, DROP COLUMN max_receives, DROP COLUMN dead_letter_sources;
