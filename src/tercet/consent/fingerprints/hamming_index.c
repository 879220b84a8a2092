/* The inner loops of hamming_index.py: bucket tables filled, buckets looked up, codes compared.
 *
 * hamming_index_plain.py does the same in numpy; tests hold the two equal. Codes are 32 octets.
 * Whatever the arrays hold, nothing outside of them is read or written: they may come from a
 * damaged file. The loops that count bits are compiled several times and chosen by what the
 * processor can do, so that one wheel serves all.
 */

#include <stdint.h>
#include <string.h>

enum { WORDS = 4, OCTETS = 32, BLOCK = 512, STRIP = 64, AHEAD = 16 };

#if defined(__x86_64__) && (defined(__clang__) || __GNUC__ >= 8)
#define BY_PROCESSOR 1
#define COUNTING __attribute__((target("popcnt")))
#if defined(__clang__)
#define WIDE __attribute__((target("popcnt,avx2,avx512f,avx512vpopcntdq")))
#else
#define WIDE __attribute__((target("popcnt,avx2,avx512f,avx512vpopcntdq,prefer-vector-width=512")))
#endif
#endif

#define INLINE static inline __attribute__((always_inline))

typedef struct {
    int64_t capacity, count;
    int32_t *query;
    uint32_t *entry;
    uint8_t *distance;
} Hits;

/* The bits of one slot of each code: lookup[octet][value] joined over the octets. */
int64_t slot_values(int64_t count, const uint8_t *codes, const uint32_t *lookup, uint32_t *values)
{
    for (int64_t at = 0; at < count; at++) {
        const uint8_t *code = codes + at * OCTETS;
        uint32_t value = 0;
        for (int octet = 0; octet < OCTETS; octet++)
            value |= lookup[octet * 256 + code[octet]];
        values[at] = value;
    }
    return 0;
}

/* One row: size + 1 bounds of buckets, then the entries by bucket, ascending (a counting sort).
 * Every value is below size. */
int64_t fill_row(int64_t count, const uint32_t *values, int64_t size, uint32_t *row)
{
    uint32_t *bounds = row, *entries = row + size + 1;
    memset(bounds, 0, (size_t)(size + 1) * sizeof *bounds);
    for (int64_t at = 0; at < count; at++)
        bounds[values[at]]++;
    uint32_t total = 0;
    for (int64_t bucket = 0; bucket < size; bucket++) {
        uint32_t length = bounds[bucket];
        bounds[bucket] = total;
        total += length;
    }
    for (int64_t at = 0; at < count; at++)
        entries[bounds[values[at]]++] = (uint32_t)at;
    /* Each bound now stands at its bucket's end, which is where the next bucket begins. */
    memmove(bounds + 1, bounds, (size_t)size * sizeof *bounds);
    bounds[0] = 0;
    return 0;
}

INLINE void keep(Hits *hits, int64_t query, int64_t entry, uint64_t distance)
{
    if (hits->count < hits->capacity) {
        hits->query[hits->count] = (int32_t)query;
        hits->entry[hits->count] = (uint32_t)entry;
        hits->distance[hits->count] = (uint8_t)distance;
    }
    hits->count++;
}

INLINE uint64_t distance_of(const uint64_t *left, const uint64_t *right)
{
    return (uint64_t)(__builtin_popcountll(left[0] ^ right[0]) +
                      __builtin_popcountll(left[1] ^ right[1]) +
                      __builtin_popcountll(left[2] ^ right[2]) +
                      __builtin_popcountll(left[3] ^ right[3]));
}

/* Compare one query with a block of codes laid out by words; the strip where none is near is left
 * at once. A difference's top bit is set where the distance is within the radius. */
INLINE void scan_block(const uint64_t (*columns)[BLOCK], int64_t length, const uint64_t *query,
                       uint64_t radius, int64_t row, int64_t first, Hits *hits)
{
    uint64_t distance[STRIP];
    for (int64_t start = 0; start < length; start += STRIP) {
        uint64_t near = 0;
        for (int at = 0; at < STRIP; at++) {
            uint64_t bits = 0;
            for (int word = 0; word < WORDS; word++)
                bits += (uint64_t)__builtin_popcountll(columns[word][start + at] ^ query[word]);
            distance[at] = bits;
            near |= bits - (radius + 1);
        }
        if (!(near >> 63))
            continue;
        int64_t end = length - start < STRIP ? length - start : STRIP;
        for (int64_t at = 0; at < end; at++)
            if (distance[at] <= radius)
                keep(hits, row, first + start + at, distance[at]);
    }
}

/* A block of codes is laid out by words once and stays in the first cache for all queries. */
INLINE void scan_all(int64_t count, const uint8_t *codes, int64_t query_count,
                     const uint8_t *queries, uint64_t radius, Hits *hits)
{
    uint64_t columns[WORDS][BLOCK], query[WORDS];
    memset(columns, 0, sizeof columns);
    for (int64_t first = 0; first < count; first += BLOCK) {
        int64_t length = count - first < BLOCK ? count - first : BLOCK;
        for (int64_t at = 0; at < length; at++)
            for (int word = 0; word < WORDS; word++)
                memcpy(&columns[word][at], codes + (first + at) * OCTETS + word * 8, 8);
        for (int64_t row = 0; row < query_count; row++) {
            memcpy(query, queries + row * OCTETS, OCTETS);
            scan_block((const uint64_t (*)[BLOCK])columns, length, query, radius, row, first, hits);
        }
    }
}

typedef struct {
    int64_t count, slots, size, radius, candidates_max;
    const uint8_t *codes;
    const uint32_t *rows, *masks;
    const int64_t *mask_counts;
    uint32_t *runs, *candidates;
    uint64_t *seen;
} Probing;

/* Collect the candidates of one query, duplicates too. Return how many, or candidates_max + 1 when
 * there are more, or -1 when a bound is out of range. */
INLINE int64_t collect(const Probing *p, const uint32_t *values)
{
    int64_t width = p->size + 1 + p->count, total = 0;
    for (int64_t slot = 0; slot < p->slots; slot++) {
        const uint32_t *bounds = p->rows + slot * width, *entries = bounds + p->size + 1;
        int64_t mask_count = p->mask_counts[slot], run_count = 0;
        for (int64_t at = 0; at < mask_count; at++)
            __builtin_prefetch(bounds + (values[slot] ^ p->masks[at]));
        for (int64_t at = 0; at < mask_count; at++) {
            uint32_t bucket = values[slot] ^ p->masks[at];
            uint32_t low = bounds[bucket], high = bounds[bucket + 1];
            if (low > high || high > p->count)
                return -1;
            if (low == high)
                continue;
            __builtin_prefetch(entries + low);
            p->runs[2 * run_count] = low;
            p->runs[2 * run_count++ + 1] = high;
        }
        for (int64_t run = 0; run < run_count; run++) {
            uint32_t low = p->runs[2 * run], length = p->runs[2 * run + 1] - low;
            if (total + length > p->candidates_max)
                return p->candidates_max + 1;
            memcpy(p->candidates + total, entries + low, length * sizeof *entries);
            total += length;
        }
    }
    return total;
}

/* Compare a query with its candidates, each once. Return -1 when one of them is no entry. */
INLINE int64_t compare(const Probing *p, int64_t total, const uint8_t *octets, int64_t row,
                       Hits *hits)
{
    uint64_t query[WORDS], code[WORDS];
    memcpy(query, octets, OCTETS);
    for (int64_t at = 0; at < total; at++) {
        if (at + AHEAD < total)
            __builtin_prefetch(p->codes + (int64_t)p->candidates[at + AHEAD] * OCTETS);
        int64_t entry = p->candidates[at];
        if (entry >= p->count)
            return -1;
        memcpy(code, p->codes + entry * OCTETS, OCTETS);
        uint64_t distance = distance_of(query, code);
        if (distance > (uint64_t)p->radius || p->seen[entry / 64] >> (entry % 64) & 1)
            continue;
        p->seen[entry / 64] |= 1ull << (entry % 64);
        keep(hits, row, entry, distance);
    }
    return 0;
}

/* Probe queries from `row` on while their hits fit. Return the first query that was not probed, or
 * -1 when the rows are damaged. One query has at most candidates_max hits. */
INLINE int64_t probe_all(const Probing *p, int64_t row, int64_t query_count,
                         const uint8_t *queries, const uint32_t *values, uint8_t *heavy, Hits *hits)
{
    for (; row < query_count; row++) {
        int64_t total = collect(p, values + row * p->slots), before = hits->count;
        if (total < 0)
            return -1;
        if (total > p->candidates_max) {
            heavy[row] = 1;
            continue;
        }
        if (before + total > hits->capacity && before)
            return row;
        if (compare(p, total, queries + row * OCTETS, row, hits) < 0)
            return -1;
        for (int64_t at = before; at < hits->count; at++)
            p->seen[hits->entry[at] / 64] = 0;
    }
    return row;
}

static void scan_plain(int64_t count, const uint8_t *codes, int64_t query_count,
                       const uint8_t *queries, uint64_t radius, Hits *hits)
{
    scan_all(count, codes, query_count, queries, radius, hits);
}

static int64_t probe_plain(const Probing *p, int64_t row, int64_t query_count,
                           const uint8_t *queries, const uint32_t *values, uint8_t *heavy,
                           Hits *hits)
{
    return probe_all(p, row, query_count, queries, values, heavy, hits);
}

#ifdef BY_PROCESSOR
COUNTING static void scan_counting(int64_t count, const uint8_t *codes, int64_t query_count,
                                   const uint8_t *queries, uint64_t radius, Hits *hits)
{
    scan_all(count, codes, query_count, queries, radius, hits);
}

WIDE static void scan_wide(int64_t count, const uint8_t *codes, int64_t query_count,
                           const uint8_t *queries, uint64_t radius, Hits *hits)
{
    scan_all(count, codes, query_count, queries, radius, hits);
}

COUNTING static int64_t probe_counting(const Probing *p, int64_t row, int64_t query_count,
                                       const uint8_t *queries, const uint32_t *values,
                                       uint8_t *heavy, Hits *hits)
{
    return probe_all(p, row, query_count, queries, values, heavy, hits);
}
#endif

/* How this processor counts bits: 0 plainly, 1 by its instruction, 2 eight words at once. */
int64_t counting_kind(void)
{
#ifdef BY_PROCESSOR
    if (!__builtin_cpu_supports("popcnt"))
        return 0;
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vpopcntdq") ? 2 : 1;
#else
    return 0;
#endif
}

/* Compare every query with every code, counting by at most `kind`. Return the number of hits, which
 * may exceed the capacity: the hits beyond it are not kept. */
int64_t scan(int64_t kind, int64_t count, const uint8_t *codes, int64_t query_count,
             const uint8_t *queries, int64_t radius, int64_t capacity, int32_t *query,
             uint32_t *entry, uint8_t *distance)
{
    Hits hits = {capacity, 0, query, entry, distance};
    int64_t able = counting_kind();
    kind = kind < able ? kind : able;
#ifdef BY_PROCESSOR
    if (kind == 2) {
        scan_wide(count, codes, query_count, queries, (uint64_t)radius, &hits);
        return hits.count;
    }
    if (kind == 1) {
        scan_counting(count, codes, query_count, queries, (uint64_t)radius, &hits);
        return hits.count;
    }
#endif
    scan_plain(count, codes, query_count, queries, (uint64_t)radius, &hits);
    return hits.count;
}

/* Probe queries from `row` on; see probe_all. `seen` has a zero bit for each entry, and has again
 * afterwards; `hit_count` receives the number of hits. */
int64_t probe(int64_t kind, int64_t count, const uint8_t *codes, int64_t slots, int64_t size,
              const uint32_t *rows, int64_t row, int64_t query_count, const uint8_t *queries,
              const uint32_t *values, const uint32_t *masks, const int64_t *mask_counts,
              int64_t radius, int64_t candidates_max, uint32_t *runs, uint32_t *candidates,
              uint64_t *seen, uint8_t *heavy, int64_t capacity, int32_t *query, uint32_t *entry,
              uint8_t *distance, int64_t *hit_count)
{
    Probing probing = {count, slots, size, radius, candidates_max, codes, rows, masks,
                       mask_counts, runs, candidates, seen};
    Hits hits = {capacity, 0, query, entry, distance};
    int64_t next;
#ifdef BY_PROCESSOR
    next = kind && counting_kind()
               ? probe_counting(&probing, row, query_count, queries, values, heavy, &hits)
               : probe_plain(&probing, row, query_count, queries, values, heavy, &hits);
#else
    (void)kind;
    next = probe_plain(&probing, row, query_count, queries, values, heavy, &hits);
#endif
    hit_count[0] = hits.count;
    return next;
}
