;; The fast Fourier transform on vectors of flonums, there and back, and the Mandelbrot set: boxes of floating
;; point.

(define scale
  (let ((arguments (cdr (command-line))))
    (if (null? arguments) 1 (string->number (car arguments)))))

(define (check name good)
  (display name)
  (display (if good ": ok" ": FAILED"))
  (newline)
  (if (not good) (exit 1)))

(define pi (* 4 (atan 1)))

;; In place, by halves: re and im are vectors, the length a power of two; sign is -1 forward and 1 back.
(define (fft! re im sign)
  (let ((n (vector-length re)))
    (bit-reverse! re im n)
    (let stage ((half 1))
      (if (< half n)
          (let ((angle (/ (* sign pi) half)))
            (do ((k 0 (+ k 1))) ((= k half))
              (let ((wr (cos (* angle k))) (wi (sin (* angle k))))
                (do ((i k (+ i (* 2 half)))) ((>= i n))
                  (butterfly! re im i (+ i half) wr wi))))
            (stage (* 2 half)))))))

(define (butterfly! re im i j wr wi)
  (let* ((xr (vector-ref re j)) (xi (vector-ref im j))
         (tr (- (* wr xr) (* wi xi))) (ti (+ (* wr xi) (* wi xr)))
         (ur (vector-ref re i)) (ui (vector-ref im i)))
    (vector-set! re i (+ ur tr))
    (vector-set! im i (+ ui ti))
    (vector-set! re j (- ur tr))
    (vector-set! im j (- ui ti))))

(define (bit-reverse! re im n)
  (let loop ((i 0) (j 0))
    (if (< i n)
        (begin
          (if (< i j)
              (begin (swap! re i j) (swap! im i j)))
          (let carry ((bit (quotient n 2)) (j j))
            (if (and (>= bit 1) (>= j bit))
                (carry (quotient bit 2) (- j bit))
                (loop (+ i 1) (+ j bit))))))))

(define (swap! v i j)
  (let ((x (vector-ref v i)))
    (vector-set! v i (vector-ref v j))
    (vector-set! v j x)))

(define (signal n) (make-initialized-vector n (lambda (i) (+ (sin (* 0.1 i)) (* 0.5 (cos (* 0.37 i)))))))

(define (energy re im)
  (let loop ((i 0) (sum 0.0))
    (if (= i (vector-length re))
        sum
        (loop (+ i 1) (+ sum (square (vector-ref re i)) (square (vector-ref im i)))))))

(define (there-and-back n)
  (let* ((original (signal n)) (re (vector-copy original)) (im (make-vector n 0.0)) (before (energy re im)))
    (fft! re im -1)
    (let ((parseval (< (abs (- (/ (energy re im) n) before)) 1e-6)))
      (fft! re im 1)
      (and parseval
           (every (lambda (i) (< (abs (- (/ (vector-ref re i) n) (vector-ref original i))) 1e-9))
                  (iota n))))))

(define (escapes-after cr ci limit)
  (let loop ((zr 0.0) (zi 0.0) (i 0))
    (let ((zr2 (* zr zr)) (zi2 (* zi zi)))
      (if (or (= i limit) (> (+ zr2 zi2) 4.0))
          i
          (loop (+ (- zr2 zi2) cr) (+ (* 2.0 zr zi) ci) (+ i 1))))))

;; Points of a grid inside the set; the set is symmetric, so the grid's halves must agree.
(define (inside rows columns sign)
  (let loop ((i 0) (count 0))
    (if (= i (* rows columns))
        count
        (let ((cr (- (* 3.0 (/ (modulo i columns) columns 1.0)) 2.0))
              (ci (* sign 1.25 (/ (quotient i columns) rows 1.0))))
          (loop (+ i 1) (if (= (escapes-after cr ci 60) 60) (+ count 1) count))))))

(check "fft"
       (let loop ((i 0) (good #t))
         (if (= i (* 6 scale))
             good
             (loop (+ i 1)
                   (and good
                        (there-and-back 16384)
                        (let ((upper (inside 100 240 1)) (lower (inside 100 240 -1)))
                          (and (= upper lower)
                               (< (abs (- (/ (* 2 upper 3.0 1.25) 24000) 1.55)) 0.15))))))))
