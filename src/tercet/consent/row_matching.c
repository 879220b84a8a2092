/* The inner loops of the clearing, over arrays: cut URLs, find their sites, match their paths.

   row_matching_plain.py does the same in Python, function by function; the tests hold both to
   the same answers. Nothing is allocated and nothing kept; all offsets index into arrays that the
   caller owns, and every read stays inside them. */

#include <stdint.h>
#include <string.h>

#define ODD 1     /* WHATWG URL parsing would change the path */
#define ESCAPED 2 /* RFC 9309 would write its escapes in another way */
#define PLAIN 4   /* scheme://host/path as it stands */
#define SECURE 8  /* https */

#define BLOCK 64  /* rows whose memory is asked for together */

enum { LONGEST = 0, FIRST = 1, STRICTEST = 2 };

static uint64_t mix(uint64_t left, uint64_t right)
{
    uint64_t x = left * 0x9E3779B97F4A7C15u + right;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

static uint64_t hash_octets(const uint8_t *octets, int64_t size)
{
    uint64_t state = (uint64_t)size;
    while (size >= 8) {
        uint64_t word;
        memcpy(&word, octets, 8);
        state = mix(state, word);
        octets += 8;
        size -= 8;
    }
    uint64_t last = 0;
    memcpy(&last, octets, (size_t)size);
    return mix(state, last);
}

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

static int is_unreserved(int c) /* RFC 3986 section 2.3 */
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           c == '-' || c == '.' || c == '_' || c == '~';
}

/* Return ODD and ESCAPED for a path without its first slash. plain[c] is 1 for octets that
   WHATWG leaves as they are, 2 for those that need a second look: % and / and . */
static uint8_t look_at_path(const uint8_t *path, const uint8_t *end, const uint8_t *plain)
{
    uint8_t flags = (path < end && *path == '.') ? ODD : 0;
    for (const uint8_t *at = path; at < end; at++) {
        uint8_t kind = plain[*at];
        if (kind == 1) continue;
        if (kind == 0) return ODD;
        if (*at == '/') {
            if (at + 1 < end && at[1] == '.') return ODD;
        } else { /* % */
            int high = at + 2 < end ? hex_value(at[1]) : -1;
            int low = at + 2 < end ? hex_value(at[2]) : -1;
            if (high < 0 || low < 0) continue;
            int value = high * 16 + low;
            if (value == '.') return ODD; /* WHATWG: "%2e" counts as a dot */
            if (at[1] >= 'a' || at[2] >= 'a' || is_unreserved(value)) flags |= ESCAPED;
        }
    }
    return flags;
}

/* Cut n URLs (data[offset[i]] .. data[offset[i + 1]]) at their slashes.
   Out: flags, the bounds of the host; the path begins where the host ends. A URL without a path
   is ODD: its path is "/", which is not written there. */
void cut_urls(int64_t n, const uint8_t *data, const int32_t *offset, const uint8_t *plain,
              uint8_t *flags, int32_t *host_start, int32_t *host_end)
{
    for (int64_t i = 0; i < n; i++) {
        const uint8_t *url = data + offset[i], *end = data + offset[i + 1];
        int64_t size = end - url;
        int32_t skip = 0;
        flags[i] = 0;
        host_start[i] = host_end[i] = offset[i + 1];
        if (size >= 7 && !memcmp(url, "http://", 7)) skip = 7;
        if (size >= 8 && !memcmp(url, "https://", 8)) skip = 8;
        if (!skip) continue;
        const uint8_t *host = url + skip;
        const uint8_t *slash = memchr(host, '/', (size_t)(end - host));
        flags[i] = PLAIN | (skip == 8 ? SECURE : 0);
        host_start[i] = offset[i] + skip;
        host_end[i] = (int32_t)((slash ? slash : end) - data);
        flags[i] |= slash ? look_at_path(slash + 1, end, plain) : ODD;
    }
}

/* Fill an open-addressing table (size a power of two, all -1) with the numbers of n texts. */
void index_texts(int64_t n, const uint8_t *data, const int32_t *offset, int64_t table_size,
                 int32_t *table)
{
    for (int64_t i = 0; i < n; i++) {
        uint64_t at = hash_octets(data + offset[i], offset[i + 1] - offset[i]);
        while (table[at & (uint64_t)(table_size - 1)] >= 0) at++;
        table[at & (uint64_t)(table_size - 1)] = (int32_t)i;
    }
}

static int32_t find_one(const uint8_t *octets, int64_t size, uint64_t slot,
                        const uint8_t *text_data, const int32_t *text_offset, uint64_t mask,
                        const int32_t *table)
{
    for (;; slot++) {
        int32_t number = table[slot & mask];
        if (number < 0) return -1;
        if (text_offset[number + 1] - text_offset[number] == size &&
            !memcmp(text_data + text_offset[number], octets, (size_t)size))
            return number;
    }
}

/* Look up n octet ranges of data among the indexed texts; out: the text's number, or -1. */
void find_texts(int64_t n, const uint8_t *data, const int32_t *start, const int32_t *end,
                const uint8_t *text_data, const int32_t *text_offset, int64_t table_size,
                const int32_t *table, int32_t *found)
{
    uint64_t slot[BLOCK];
    uint64_t mask = (uint64_t)(table_size - 1);
    for (int64_t first = 0; first < n; first += BLOCK) {
        int64_t count = n - first < BLOCK ? n - first : BLOCK;
        for (int64_t i = 0; i < count; i++) { /* ask memory for all slots before waiting for any */
            slot[i] = hash_octets(data + start[first + i], end[first + i] - start[first + i]);
            __builtin_prefetch(&table[slot[i] & mask]);
        }
        for (int64_t i = 0; i < count; i++) {
            int32_t number = table[slot[i] & mask];
            if (number >= 0) __builtin_prefetch(text_data + text_offset[number]);
        }
        for (int64_t i = 0; i < count; i++) {
            const uint8_t *octets = data + start[first + i];
            found[first + i] = find_one(octets, end[first + i] - start[first + i], slot[i],
                                        text_data, text_offset, mask, table);
        }
    }
}

static const uint8_t *find_piece(const uint8_t *from, const uint8_t *end, const uint8_t *piece,
                                 int64_t size)
{
    while (end - from >= size) {
        const uint8_t *at = memchr(from, piece[0], (size_t)(end - from - size + 1));
        if (!at) return 0;
        if (!memcmp(at, piece, (size_t)size)) return at;
        from = at + 1;
    }
    return 0;
}

/* Say whether a robots.txt pattern (RFC 9309 section 2.2.3: * and a last $) matches a path. */
static int matches(const uint8_t *pattern, const uint8_t *pattern_end, const uint8_t *path,
                   const uint8_t *end)
{
    int anchored = pattern_end > pattern && pattern_end[-1] == '$';
    if (anchored) pattern_end--;
    const uint8_t *star = memchr(pattern, '*', (size_t)(pattern_end - pattern));
    int64_t size = (star ? star : pattern_end) - pattern;
    if (end - path < size || memcmp(path, pattern, (size_t)size)) return 0;
    path += size;
    if (!star) return !anchored || path == end;
    for (;;) {
        pattern = star + 1;
        star = memchr(pattern, '*', (size_t)(pattern_end - pattern));
        size = (star ? star : pattern_end) - pattern;
        if (!star && anchored)
            return end - path >= size && !memcmp(end - size, pattern, (size_t)size);
        if (size) {
            path = find_piece(path, end, pattern, size);
            if (!path) return 0;
            path += size;
        }
        if (!star) return 1;
    }
}

/* Mark with its high bit each of eight octets that is 0 or the one sought. A mark above a true one
   may be false (Anderson, "Bit twiddling hacks": the borrow runs upwards): the rule is then looked
   at for nothing. */
static uint64_t near_octets(const uint8_t *octets, uint8_t sought)
{
    const uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;
    uint64_t word;
    memcpy(&word, octets, 8);
    uint64_t other = word ^ (ones * sought);
    return (((word - ones) & ~word) | ((other - ones) & ~other)) & highs;
}

/* For n rows, say which rules of the row's rulebook hold at its path, as one number: rows of the
   same rulebook with the same number are told the same by every reading; 0 means that no rule
   narrower than the whole site holds.

   A path is data[path_start[i]] .. data[path_end[i]]. Rulebook b has the readings
   reading_of_book[b] .. reading_of_book[b + 1] - 1; reading q has the rules rule_of_reading[q] ..,
   greatest rank first (LONGEST) or in order (FIRST); rule r has the pattern text[pattern[r]] ..
   text[pattern[r + 1] - 1] and one octet behind it; broad[r] says that it covers every path;
   second[r] is the second octet of patterns that begin with a slash and a plain octet, else 0:
   most rules fail there, and those lie side by side; eight spare octets follow the last. Rows with
   a negative book are passed over. */
void match_paths(int64_t n, const uint8_t *data, const int32_t *path_start,
                 const int32_t *path_end, const int32_t *book, const int64_t *reading_of_book,
                 const uint8_t *matching, const int64_t *rule_of_reading, const uint8_t *broad,
                 const uint8_t *second, const int64_t *pattern, const uint8_t *text,
                 uint64_t *key)
{
    for (int64_t i = 0; i < n; i++) {
        key[i] = 0;
        if (i + 12 < n && book[i + 12] >= 0) __builtin_prefetch(&reading_of_book[book[i + 12]]);
        if (i + 8 < n && book[i + 8] >= 0)
            __builtin_prefetch(&rule_of_reading[reading_of_book[book[i + 8]]]);
        if (i + 4 < n && book[i + 4] >= 0)
            __builtin_prefetch(&second[rule_of_reading[reading_of_book[book[i + 4]]]]);
        if (book[i] < 0) continue;
        const uint8_t *path = data + path_start[i], *end = data + path_end[i];
        uint8_t octet = end - path > 1 ? path[1] : 0xFF; /* which no pattern in normal form has */
        for (int64_t q = reading_of_book[book[i]]; q < reading_of_book[book[i] + 1]; q++) {
            int64_t last = rule_of_reading[q + 1];
            int done = 0;
            for (int64_t base = rule_of_reading[q]; base < last && !done; base += 8) {
                uint64_t near = near_octets(second + base, octet);
                for (; near && !done; near &= near - 1) {
                    int64_t r = base + (__builtin_ctzll(near) >> 3);
                    if (r >= last) break;
                    if (matching[q] == STRICTEST && broad[r]) continue;
                    if (!matches(text + pattern[r], text + pattern[r + 1] - 1, path, end)) continue;
                    done = matching[q] != STRICTEST;
                    if (!broad[r]) key[i] = mix(key[i] ^ (uint64_t)q, (uint64_t)r + 1) | 1;
                }
            }
        }
    }
}
