/* dice.h - chance that follows from a seed alone: splitmix64 (Steele, Lea, Flood, 2014). */
#ifndef MHA_SIM_DICE_H
#define MHA_SIM_DICE_H

#include <stdbool.h>
#include <stdint.h>

struct dice {
    uint64_t state;
};

static inline uint64_t dice_next(struct dice *dice)
{
    uint64_t z = dice->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* Both included. */
static inline uint64_t dice_between(struct dice *dice, uint64_t low, uint64_t high)
{
    return low + dice_next(dice) % (high - low + 1);
}

static inline bool dice_chance(struct dice *dice, unsigned permille)
{
    return permille > 0 && dice_next(dice) % 1000 < permille;
}

/* One of its own for each number, whatever the others were used for. */
static inline struct dice dice_of(uint64_t seed, uint64_t number)
{
    struct dice first = {.state = seed};
    struct dice own = {.state = dice_next(&first) ^ (number * 0xd1342543de82ef95u)};
    dice_next(&own);
    return own;
}

#endif
