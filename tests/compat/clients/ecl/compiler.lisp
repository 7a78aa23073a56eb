;; The bytecode compiler at work on generated functions, and those functions at work; macros; the reader and printer.
(defparameter *size* (parse-integer (car (last (ext:command-args)))))
(ext:install-bytecodes-compiler)

(defmacro repeatedly ((variable count) &body body)
  (let ((limit (gensym)))
    `(let ((,limit ,count))
       (do ((,variable 0 (1+ ,variable))) ((>= ,variable ,limit)) ,@body))))

(defun text (i)
  (with-output-to-string (out)
    (write `(lambda (x y)
              (let ((list '()) (sum ,(mod (* i i) 17)))
                (flet ((add (n) (setf sum (mod (+ (* 3 sum) n) 1009)) (push n list)))
                  (repeatedly (n ,(+ 1 (mod i 5)))
                    (cond ((oddp (+ n x)) (add (* x y)))
                          ((> n ,(mod i 3)) (multiple-value-bind (q r) (floor (+ x ,i) (+ 1 (abs y))) (add (- q r))))
                          (t (add ,(format nil "~r" (mod i 50)))  (pop list) (add n))))
                  (+ sum (length list) (reduce #'+ (mapcar (lambda (n) (mod n 7)) list))))))
           :stream out)))

(defun read-back (text)
  (subst-if 1 #'stringp (with-input-from-string (in text) (read in))))

(format t "~a functions: ~a~%" *size*
        (loop with sum = 0
              for i below *size*
              for function = (compile nil (read-back (text i)))
              do (setf sum (mod (+ (* 31 sum) (funcall function i (mod (* 7 i) 13))) 1000003))
              finally (return sum)))
(format t "pretty: ~a letters~%"
        (let ((*print-pretty* t))
          (loop for i below (ceiling *size* 2) sum (length (prin1-to-string (read-back (text i)))))))
