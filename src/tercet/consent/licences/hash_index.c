/* Looking up digests by their text: the inner loop of hash_index.py, which says what it means. */

#include <stdint.h>
#include <string.h>

#define DIGITS 64
#define WORDS 8
#define AHEAD 24 /* digests whose memory is asked for before they are compared */
#define SMALL 0x2020202020202020ULL

static uint64_t key_of(const unsigned char *text)
{
    uint64_t first, second;
    memcpy(&first, text, 8);
    memcpy(&second, text + 8, 8);
    uint64_t mixed = (first | SMALL) * 0x9E3779B97F4A7C15ULL;
    mixed ^= mixed >> 29;
    mixed += second | SMALL;
    mixed *= 0xBF58476D1CE4E5B9ULL;
    mixed ^= mixed >> 32;
    return mixed * 0x94D049BB133111EBULL;
}

static int same(const unsigned char *text, const unsigned char *known)
{
    if (memcmp(text, known, DIGITS) == 0)
        return 1;
    for (int at = 0; at < DIGITS; at++) {
        unsigned char digit = text[at];
        if (digit >= 'A' && digit <= 'F')
            digit |= 0x20;
        if (digit != known[at])
            return 0;
    }
    return 1;
}

void find_digests(int64_t count, const unsigned char *text, const unsigned char *words,
                  const uint32_t *starts, int64_t bits, const int32_t *number, int32_t *found)
{
    for (int64_t first = 0; first < count; first += AHEAD) {
        int64_t size = count - first < AHEAD ? count - first : AHEAD;
        uint64_t bucket[AHEAD];
        for (int64_t at = 0; at < size; at++) {
            bucket[at] = key_of(text + (first + at) * DIGITS) >> (64 - bits);
            __builtin_prefetch(starts + bucket[at]);
        }
        for (int64_t at = 0; at < size; at++) {
            __builtin_prefetch(words + (uint64_t)starts[bucket[at]] * DIGITS);
            __builtin_prefetch(number + starts[bucket[at]]);
        }
        for (int64_t at = 0; at < size; at++) {
            const unsigned char *digest = text + (first + at) * DIGITS;
            found[first + at] = -1;
            for (uint32_t near = starts[bucket[at]]; near < starts[bucket[at] + 1]; near++)
                if (same(digest, words + (uint64_t)near * DIGITS)) {
                    found[first + at] = number[near];
                    break;
                }
        }
    }
}
