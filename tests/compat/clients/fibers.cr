# Fibers, which Crystal switches between itself, hand each other strings, trees, hashes and large numbers.
require "big"

class Node
  getter left : Node?
  getter right : Node?
  getter text : String

  def initialize(depth : Int32, @text)
    if depth > 0
      @left = Node.new(depth - 1, "l#{@text}")
      @right = Node.new(depth - 1, "r#{@text}")
    end
  end

  def sum : Int32
    @text.size + (@left.try(&.sum) || 0) + (@right.try(&.sum) || 0)
  end
end

size = ARGV[0].to_i
fibers = 100
kept = Node.new(12, "k")
sums = Channel(Tuple(Int32, Array(String))).new(10)

def deep(levels : Int32, text : String) : Int32
  return text.size if levels == 0
  Fiber.yield if levels % 40 == 0
  deep(levels - 1, text + "x") + text.size
end

fibers.times do |number|
  spawn do
    size.times do |round|
      tree = Node.new(4 + (number + round) % 4, "#{round}")
      words = (0..20).map { |i| "#{number}:#{i * round}" }
      Fiber.yield if round % 3 == 0
      below = round % 10 == 0 ? deep(120, "d") : 0
      sums.send({tree.sum + below, words})
    end
  end
end

total = 0_i64
seen = Hash(String, Int32).new(0)
(fibers * size).times do
  sum, words = sums.receive
  total += sum
  words.each { |word| seen[word.split(':')[0]] += word.size }
end
product = BigInt.new(1)
(size * 4).times { |i| product *= i + 1 }
puts "trees #{total}, kept #{kept.sum}"
puts "words #{seen.size}, #{seen.values.sum}"
puts "digits #{product.to_s.size}, of them 7: #{product.to_s.count('7')}"
