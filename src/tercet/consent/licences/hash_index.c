/* Looking up digests by their text: the inner loop of hash_index.py, which says what it means.
   For machines that keep the lowest octet of a word first. */

#include <stdint.h>
#include <string.h>

#define DIGITS 64
#define WORDS 4
#define AHEAD 32 /* digests whose memory is asked for before they are compared */
#define EACH(mask) ((mask) * 0x0101010101010101ULL)

/* Four octets from eight hexadecimal digits, the first of them lowest in memory. */
static uint64_t decoded(uint64_t digits)
{
    uint64_t halves = (digits & EACH(0x0F)) + 9 * ((digits >> 6) & EACH(0x01));
    uint64_t octets = (halves << 4 | halves >> 8) & 0x00FF00FF00FF00FFULL;
    octets = (octets | octets >> 8) & 0x0000FFFF0000FFFFULL;
    return (octets | octets >> 16) & 0xFFFFFFFFULL;
}

static void decode(const unsigned char *text, uint64_t *words)
{
    for (int at = 0; at < WORDS; at++) {
        uint64_t first, second;
        memcpy(&first, text + at * 16, 8);
        memcpy(&second, text + at * 16 + 8, 8);
        words[at] = decoded(first) | decoded(second) << 32;
    }
}

static int is_hexadecimal(const unsigned char *text)
{
    unsigned char strange = 0;
    for (int at = 0; at < DIGITS; at++) {
        unsigned char digit = text[at];
        strange |= !((unsigned char)(digit - '0') < 10 ||
                     (unsigned char)((digit | 0x20) - 'a') < 6);
    }
    return !strange;
}

static uint64_t key_of(const uint64_t *words)
{
    uint64_t mixed = words[0] * 0x9E3779B97F4A7C15ULL;
    mixed ^= mixed >> 29;
    mixed *= 0xBF58476D1CE4E5B9ULL;
    mixed ^= mixed >> 32;
    return mixed * 0x94D049BB133111EBULL;
}

void find_digest_words(int64_t count, const unsigned char *text, const uint64_t *records,
                  const uint32_t *starts, int64_t bits, const int32_t *number, int32_t *found)
{
    for (int64_t first = 0; first < count; first += AHEAD) {
        int64_t size = count - first < AHEAD ? count - first : AHEAD;
        uint64_t words[AHEAD][WORDS], bucket[AHEAD];
        for (int64_t at = 0; at < size; at++) {
            decode(text + (first + at) * DIGITS, words[at]);
            bucket[at] = key_of(words[at]) >> (64 - bits);
            __builtin_prefetch(starts + bucket[at]);
        }
        for (int64_t at = 0; at < size; at++) {
            const char *begin = (const char *)(records + (uint64_t)starts[bucket[at]] * WORDS);
            const char *end = (const char *)(records + (uint64_t)starts[bucket[at] + 1] * WORDS);
            __builtin_prefetch(number + starts[bucket[at]]);
            for (int near = 0; near < 2 && begin < end; near++, begin += 64)
                __builtin_prefetch(begin);
        }
        for (int64_t at = 0; at < size; at++) {
            const uint64_t *record = records + (uint64_t)starts[bucket[at]] * WORDS;
            const uint64_t *end = records + (uint64_t)starts[bucket[at] + 1] * WORDS;
            found[first + at] = -1;
            for (; record < end; record += WORDS)
                if (record[0] == words[at][0] && memcmp(record, words[at], WORDS * 8) == 0) {
                    if (is_hexadecimal(text + (first + at) * DIGITS))
                        found[first + at] = number[(record - records) / WORDS];
                    break;
                }
        }
    }
}
